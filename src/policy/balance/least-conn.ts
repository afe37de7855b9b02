import { isAvailable } from '../availability.ts';
import type { Balancer, BalancerDef } from '../balancer.ts';
import type { PeerSet } from '../peer-set.ts';
import type { PeerView } from '../peer-view.ts';
import type { PickState } from '../pick-state.ts';
import { pickRoundRobin } from './round-robin.ts';

/** nginx's least_conn: fewest active requests by weight; round robin among equals. */
export const leastConn = {
  directive: 'least_conn',
  args: [0, 0],
  needs: 'nothing',
  supports: { backup: true, slowStart: true },
  syntax: '',
  doc: 'Chooses the peer with the fewest requests under way for its weight; in turn among equals.',
  create: ({ set }): Balancer => {
    const ties = new Int32Array(set.peers.length);
    return { pick: (state, nowMs) => pickLeastConn(set, ties, state, nowMs) };
  },
} as const satisfies BalancerDef;

/** `ties`: room for the indices of all peers. */
function pickLeastConn(set: PeerSet, ties: Int32Array, state: PickState, nowMs: number): number {
  if (set.isSingle) return pickRoundRobin(set, state, nowMs);
  const { peers } = set;
  const isRetry = !state.tried.isEmpty;

  // 1. the least load, and all that have it
  let least: PeerView | null = null;
  let count = 0;
  for (let i = 0; i < peers.length; i++) {
    const peer = peers[i] as PeerView;
    const order = least === null ? -1 : compareLoad(peer, least);
    if (order > 0 || (isRetry && state.tried.has(i)) || !isAvailable(peer, nowMs)) continue;
    if (order < 0) {
      least = peer;
      count = 0;
    }
    ties[count++] = i;
  }
  if (least === null) return -1;
  if (count === 1) return set.take(ties[0] as number, state, nowMs);

  // 2. round robin among them
  let best = ties[0] as number;
  let chosen = least;
  let total = 0;
  for (let t = 0; t < count; t++) {
    const i = ties[t] as number;
    const peer = peers[i] as PeerView;
    peer.currentWeight += peer.effectiveWeight;
    total += peer.effectiveWeight;
    if (peer.effectiveWeight < peer.weight) peer.effectiveWeight++;
    if (peer.currentWeight > chosen.currentWeight) {
      best = i;
      chosen = peer;
    }
  }
  chosen.currentWeight -= total;
  return set.take(best, state, nowMs);
}

/** Negative: `a` has less to do for its weight than `b`. */
export function compareLoad(a: PeerView, b: PeerView): number {
  return a.active * b.weight - b.active * a.weight;
}
