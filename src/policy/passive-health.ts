import type { PeerOutcome } from './outcome.ts';
import type { PeerView } from './peer-view.ts';

/**
 * What a release changed: 'ejected' = this failure put the peer out, 'recovered' = its trial went well, once each;
 * 'still-out' = a trial failed, every time.
 */
export type HealthChange = 'none' | 'ejected' | 'still-out' | 'recovered';

/** nginx's free_peer, without `active`: counts a failure, or forgets the old ones when a window has begun since. */
export function settle(peer: PeerView, outcome: PeerOutcome, nowMs: number): HealthChange {
  if (outcome === 'failed') return noteFailure(peer, nowMs);
  if (outcome === 'neutral' || peer.fails === 0 || peer.accessedAtMs >= peer.checkedAtMs) return 'none';
  const wasOut = peer.maxFails !== 0 && peer.fails >= peer.maxFails;
  peer.fails = 0;
  return wasOut ? 'recovered' : 'none';
}

function noteFailure(peer: PeerView, nowMs: number): HealthChange {
  const wasOut = peer.maxFails !== 0 && peer.fails >= peer.maxFails;
  peer.fails++;
  peer.accessedAtMs = nowMs;
  peer.checkedAtMs = nowMs;
  if (peer.maxFails === 0) return 'none';
  peer.effectiveWeight = Math.max(peer.effectiveWeight - Math.floor(peer.weight / peer.maxFails), 0);
  if (peer.fails < peer.maxFails) return 'none';
  return wasOut ? 'still-out' : 'ejected';
}
