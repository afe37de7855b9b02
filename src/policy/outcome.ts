/**
 * What an attempt says about its peer. 'ok': it answered (any answer that isn't retried; also a 403 or 404 that is).
 * 'failed': counts against it. 'neutral': says nothing (the client went away, an idle connection had been closed).
 */
export const PEER_OUTCOMES = ['ok', 'failed', 'neutral'] as const;
export type PeerOutcome = (typeof PEER_OUTCOMES)[number];
