import type { Balancer, BalancerDef } from '../balancer.ts';
import type { PickState } from '../pick-state.ts';
import { pickByNumber } from './pick-by-number.ts';
import { WeightRanges } from './weight-ranges.ts';

const SEED = 89;
const FACTOR = 113;
const MODULUS = 6271;

/** nginx's ip_hash: a client's /24 (or whole IPv6 address) always meets the same peer while that one is available. */
export const ipHash = {
  directive: 'ip_hash',
  args: [0, 0],
  needs: 'address',
  supports: { backup: false, slowStart: false },
  syntax: '',
  doc: "Chooses the peer by the client's address: the first three bytes of IPv4, all of IPv6.",
  create: ({ set }): Balancer => {
    const ranges = new WeightRanges(set.peers);
    return { pick: (state, nowMs) => pickByNumber(set, ranges, state, nowMs, nextHash) };
  },
} as const satisfies BalancerDef;

/** Hashes the address once more, on top of what was. */
function nextHash(state: PickState): number {
  let hash = state.rehash === 0 ? SEED : state.hash;
  state.rehash++;
  const address = state.address;
  for (let i = 0; i < address.length; i++) hash = (hash * FACTOR + (address[i] as number)) % MODULUS;
  state.hash = hash;
  return hash;
}
