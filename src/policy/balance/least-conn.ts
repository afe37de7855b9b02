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
  supports: { backup: true },
  syntax: '',
  doc: 'The peer with the fewest requests under way, by weight; in turn among equals.',
  create: ({ set }): Balancer => ({ pick: (state, nowMs) => pickLeastConn(set, state, nowMs) }),
} as const satisfies BalancerDef;

function pickLeastConn(set: PeerSet, state: PickState, nowMs: number): number {
  if (set.isSingle) return pickRoundRobin(set, state, nowMs);
  const peers = set.peers;

  // 1. the least load, and whether several have it
  let first = -1;
  let least: PeerView | null = null;
  let isShared = false;
  for (let i = 0; i < peers.length; i++) {
    const peer = peers[i] as PeerView;
    if (state.tried.has(i) || !isAvailable(peer, nowMs)) continue;
    const order = least === null ? -1 : compareLoad(peer, least);
    if (order < 0) {
      first = i;
      least = peer;
      isShared = false;
    } else if (order === 0) {
      isShared = true;
    }
  }
  if (least === null) return -1;
  if (!isShared) return set.take(first, state, nowMs);

  // 2. round robin among those that have it
  let best = first;
  let chosen = least;
  let total = 0;
  for (let i = first; i < peers.length; i++) {
    const peer = peers[i] as PeerView;
    if (state.tried.has(i) || !isAvailable(peer, nowMs) || compareLoad(peer, least) !== 0) continue;
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
