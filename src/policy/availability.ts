import type { PeerView } from './peer-view.ts';

/** Not put out by its failures, or out for long enough that a trial is due. */
export function isHealthy(peer: PeerView, nowMs: number): boolean {
  if (peer.maxFails === 0 || peer.fails < peer.maxFails) return true;
  return peer.mayTry && nowMs - peer.checkedAtMs > peer.failTimeoutMs;
}

/** At its `max_conns`. */
export function isFull(peer: PeerView): boolean {
  if (peer.maxConns === 0) return false;
  return peer.lease === null ? peer.active >= peer.maxConns : peer.lease.left <= 0;
}

/** The one test whether a request may go to a peer; every balancer uses it, none looks at `fails` itself. */
export function isAvailable(peer: PeerView, nowMs: number): boolean {
  return !peer.isDown && isHealthy(peer, nowMs) && !isFull(peer);
}
