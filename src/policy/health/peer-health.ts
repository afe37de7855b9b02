import { isHealthy } from '../availability.ts';
import type { PeerView } from '../peer-view.ts';
import type { CheckState } from './check-machine.ts';

/**
 * What a peer is to whoever looks, as nginx Plus names it. unresolved: its name has no address. unavail: it failed too often
 * (`max_fails`) and waits for its trial.
 */
export const PEER_STATES = ['up', 'draining', 'unavail', 'checking', 'unhealthy', 'down', 'unresolved'] as const;
export type PeerState = (typeof PEER_STATES)[number];

/** All that bears on whether a peer gets requests, beside its numbers. */
export interface PeerHealth {
  /** Its name has no address. */
  readonly isUnresolved: boolean;
  /** Said to be `down`. */
  readonly isSaidDown: boolean;
  /** Gets no new sessions. */
  readonly isDraining: boolean;
  /** What its active checks say; 'up' without any. */
  readonly check: CheckState;
  /** Out by its failures. */
  readonly isUnavail: boolean;
}

/** From the strongest reason to the weakest: the first that holds is the state. */
const REASONS: readonly { readonly state: PeerState; readonly holds: (peer: PeerHealth) => boolean }[] = [
  { state: 'unresolved', holds: (peer) => peer.isUnresolved },
  { state: 'down', holds: (peer) => peer.isSaidDown },
  { state: 'draining', holds: (peer) => peer.isDraining },
  { state: 'unhealthy', holds: (peer) => peer.check === 'unhealthy' },
  { state: 'checking', holds: (peer) => peer.check === 'checking' },
  { state: 'unavail', holds: (peer) => peer.isUnavail },
];

export function peerState(peer: PeerHealth): PeerState {
  return REASONS.find((reason) => reason.holds(peer))?.state ?? 'up';
}

/**
 * Whether it is out whatever its failures are. In a panic what the checks found does not count; a peer that nobody
 * has seen well yet (`mandatory`) stays out even then.
 */
export function isOut(peer: Omit<PeerHealth, 'isUnavail'>, isPanic: boolean): boolean {
  if (peer.isUnresolved || peer.isSaidDown || peer.isDraining || peer.check === 'checking') return true;
  return peer.check === 'unhealthy' && !isPanic;
}

/** Out by its failures, with no trial due. `maxFails`: as configured; in a panic the view has none. */
export function isUnavail(peer: PeerView, maxFails: number, nowMs: number): boolean {
  if (maxFails === 0 || peer.fails < maxFails) return false;
  return peer.maxFails === 0 ? nowMs - peer.checkedAtMs <= peer.failTimeoutMs : !isHealthy(peer, nowMs);
}

/** A peer comes back by its checks: what it failed before counts no more. */
export function forgetFailures(peer: PeerView): void {
  peer.fails = 0;
  peer.accessedAtMs = Number.NEGATIVE_INFINITY;
  peer.checkedAtMs = Number.NEGATIVE_INFINITY;
}
