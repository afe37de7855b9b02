import { isAvailable } from '../availability.ts';
import type { PeerSet } from '../peer-set.ts';
import type { PickState } from '../pick-state.ts';
import { pickRoundRobin } from './round-robin.ts';
import type { WeightRanges } from './weight-ranges.ts';

/** nginx gives up after so many misses. */
export const MOST_MISSES = 20;

/**
 * One number after the other until it leads to a peer that is available; after too many misses round robin.
 * As nginx for `ip_hash`, `hash` and `random`.
 */
export function pickByNumber(
  set: PeerSet,
  ranges: WeightRanges,
  state: PickState,
  nowMs: number,
  nextNumber: (state: PickState) => number,
): number {
  while (!set.isSingle && state.misses <= MOST_MISSES) {
    const index = ranges.indexAt(nextNumber(state) % ranges.total);
    const peer = set.peers[index];
    if (peer === undefined) return -1;
    if (!state.tried.has(index) && isAvailable(peer, nowMs)) return set.take(index, state, nowMs);
    state.misses++;
  }
  return pickRoundRobin(set, state, nowMs);
}
