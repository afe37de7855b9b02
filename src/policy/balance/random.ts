import { isAvailable } from '../availability.ts';
import type { Balancer, BalancerDef, BalancerInit } from '../balancer.ts';
import { compareLoad } from './least-conn.ts';
import { MOST_MISSES, pickByNumber } from './pick-by-number.ts';
import { pickRoundRobin } from './round-robin.ts';
import { WeightRanges } from './weight-ranges.ts';

/** nginx's `random [two [least_conn]]`: a die by weight, or the less loaded of two throws. */
export const random = {
  directive: 'random',
  args: [0, 2],
  needs: 'nothing',
  supports: { backup: false, slowStart: false },
  syntax: '[two [least_conn]]',
  doc: 'Chooses any peer, more often one of a higher weight; `two`: of two such the one with fewer requests under way.',
  checkArgs: (args) => {
    if (args[0] !== undefined && args[0] !== 'two') return `invalid parameter "${args[0]}"`;
    if (args[1] !== undefined && args[1] !== 'least_conn') return `invalid parameter "${args[1]}"`;
    return null;
  },
  create: (init): Balancer => (init.args[0] === 'two' ? createRandomTwo(init) : createRandom(init)),
} as const satisfies BalancerDef;

function createRandom({ set, random: throwDie }: BalancerInit): Balancer {
  const ranges = new WeightRanges(set.peers);
  return { pick: (state, nowMs) => pickByNumber(set, ranges, state, nowMs, throwDie) };
}

function createRandomTwo({ set, random: throwDie }: BalancerInit): Balancer {
  const ranges = new WeightRanges(set.peers);
  return {
    pick(state, nowMs) {
      if (set.isSingle || state.misses > MOST_MISSES) return pickRoundRobin(set, state, nowMs);
      let firstIndex = -1;
      for (;;) {
        const index = ranges.indexAt(throwDie() % ranges.total);
        const peer = set.peers[index];
        if (peer === undefined) return -1;
        if (index !== firstIndex && !state.tried.has(index) && isAvailable(peer, nowMs)) {
          const first = set.peers[firstIndex];
          if (first !== undefined) {
            return set.take(compareLoad(peer, first) > 0 ? firstIndex : index, state, nowMs);
          }
          firstIndex = index;
        }
        if (++state.misses > MOST_MISSES) return pickRoundRobin(set, state, nowMs);
      }
    },
  };
}
