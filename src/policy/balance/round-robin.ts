import { isAvailable, isFull } from '../availability.ts';
import type { Balancer, BalancerDef } from '../balancer.ts';
import type { PeerSet } from '../peer-set.ts';
import type { PeerView } from '../peer-view.ts';
import type { PickState } from '../pick-state.ts';

/** nginx's smooth weighted round robin; also what every other method falls back to. */
export const roundRobin = {
  directive: 'round_robin',
  args: [0, 0],
  needs: 'nothing',
  supports: { backup: true, slowStart: true },
  syntax: '',
  doc: 'Peers in turn, by weight: the default.',
  create: ({ set }): Balancer => ({ pick: (state, nowMs) => pickRoundRobin(set, state, nowMs) }),
} as const satisfies BalancerDef;

/** Index of the peer whose turn it is, taken; -1 = none available. */
export function pickRoundRobin(set: PeerSet, state: PickState, nowMs: number): number {
  if (set.isSingle) return pickSingle(set);
  const index = nextInTurn(set, null, state, nowMs);
  return index < 0 ? -1 : set.take(index, state, nowMs);
}

/** Index of the peer whose turn it is, of `candidates` (null: all), not taken yet; -1 = none available. */
export function nextInTurn(
  set: PeerSet,
  candidates: readonly number[] | null,
  state: PickState,
  nowMs: number,
): number {
  const { peers } = set;
  const isRetry = !state.tried.isEmpty;
  const count = candidates === null ? peers.length : candidates.length;
  let best = -1;
  let bestWeight = 0;
  let total = 0;
  for (let c = 0; c < count; c++) {
    const i = candidates === null ? c : (candidates[c] as number);
    const peer = peers[i] as PeerView;
    if ((isRetry && state.tried.has(i)) || !isAvailable(peer, nowMs)) continue;
    peer.currentWeight += peer.effectiveWeight;
    total += peer.effectiveWeight;
    if (peer.effectiveWeight < peer.weight) peer.effectiveWeight++;
    if (best === -1 || peer.currentWeight > bestWeight) {
      best = i;
      bestWeight = peer.currentWeight;
    }
  }
  const chosen = peers[best];
  if (chosen !== undefined) chosen.currentWeight -= total;
  return best;
}

/** The only peer there is: its failures don't matter, and it may be tried again. */
function pickSingle(set: PeerSet): number {
  const peer = set.peers[0];
  if (peer === undefined || peer.isDown || isFull(peer)) return -1;
  peer.active++;
  return 0;
}
