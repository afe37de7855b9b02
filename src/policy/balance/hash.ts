import type { Balancer, BalancerDef, BalancerInit } from '../balancer.ts';
import { CRC32_START, crc32End, crc32Text } from '../crc32.ts';
import type { PickState } from '../pick-state.ts';
import { createConsistentHash } from './consistent-hash.ts';
import { pickByNumber } from './pick-by-number.ts';
import { pickRoundRobin } from './round-robin.ts';
import { WeightRanges } from './weight-ranges.ts';

/** nginx's `hash KEY [consistent]`. */
export const hash = {
  directive: 'hash',
  args: [1, 2],
  needs: 'key',
  supports: { backup: false, slowStart: false },
  syntax: 'key [consistent]',
  doc: 'Chooses the peer by the hash of a text with variables; `consistent`: on a ketama ring, so that few keys move when a peer comes or goes.',
  checkArgs: (args) => (args.length < 2 || args[1] === 'consistent' ? null : `invalid parameter "${args[1]}"`),
  create: (init): Balancer => (init.args[1] === 'consistent' ? createConsistentHash(init) : createPlainHash(init)),
} as const satisfies BalancerDef;

/** Places as Cache::Memcached does: the sum of 15 bits of crc32([REHASH] KEY). */
function createPlainHash({ set }: BalancerInit): Balancer {
  const ranges = new WeightRanges(set.peers);
  return {
    pick(state, nowMs) {
      if (state.key === '') return pickRoundRobin(set, state, nowMs);
      return pickByNumber(set, ranges, state, nowMs, nextHash);
    },
  };
}

/** Decimal digits of the rehash numbers: at most MOST_MISSES + 1 of them, plus one for each retry. */
const DIGITS: readonly string[] = Array.from({ length: 64 }, (_, i) => String(i));

function nextHash(state: PickState): number {
  let crc = CRC32_START;
  if (state.rehash > 0) crc = crc32Text(crc, DIGITS[state.rehash] ?? String(state.rehash));
  crc = crc32Text(crc, state.key);
  state.rehash++;
  state.hash += (crc32End(crc) >>> 16) & 0x7fff;
  return state.hash;
}
