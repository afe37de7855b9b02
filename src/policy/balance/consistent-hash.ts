import type { Balancer, BalancerInit } from '../balancer.ts';
import { CRC32_START, crc32Byte, crc32End, crc32Text } from '../crc32.ts';
import type { PeerView } from '../peer-view.ts';
import { MOST_MISSES } from './pick-by-number.ts';
import { nextInTurn, pickRoundRobin } from './round-robin.ts';

const POINTS_PER_WEIGHT = 160;

/**
 * nginx's ketama ring. A point belongs to a *name*; the peers of one name (several addresses, or lines said twice)
 * take turns there by smooth round robin.
 *
 *     ring:  hash 17 -> name 2,  hash 90 -> name 0,  hash 244 -> name 2, …   (sorted, binary search)
 *     members: name 0 -> peers [0],  name 1 -> peers [1, 2], …
 */
export function createConsistentHash({ set }: BalancerInit): Balancer {
  const { members, names } = groupByName(set.peers);
  const ring = buildRing(set.peers, names);
  const size = ring.hashes.length;
  return {
    pick(state, nowMs) {
      if (set.isSingle || size === 0 || state.key === '' || state.misses > MOST_MISSES) {
        return pickRoundRobin(set, state, nowMs);
      }
      if (state.rehash === 0) {
        state.rehash = 1;
        state.hash = findPoint(ring.hashes, crc32End(crc32Text(CRC32_START, state.key)));
      }
      for (;;) {
        const candidates = members[ring.owners[state.hash % size] as number] as readonly number[];
        const index = nextInTurn(set, candidates, state, nowMs);
        if (index >= 0) return set.take(index, state, nowMs);
        state.hash++;
        if (++state.misses > MOST_MISSES) return pickRoundRobin(set, state, nowMs);
      }
    },
  };
}

interface NameGroups {
  /** Number of each peer's name. */
  readonly names: readonly number[];
  /** Peers of each name, in order. */
  readonly members: readonly (readonly number[])[];
}

function groupByName(peers: readonly PeerView[]): NameGroups {
  const numbers = new Map<string, number>();
  const members: number[][] = [];
  const names = peers.map((peer, i) => {
    const known = numbers.get(peer.name) ?? members.push([]) - 1;
    numbers.set(peer.name, known);
    members[known]?.push(i);
    return known;
  });
  return { names, members };
}

interface Ring {
  /** Ascending, each value once. */
  readonly hashes: Uint32Array;
  /** Name number of each point. */
  readonly owners: Uint32Array;
}

function buildRing(peers: readonly PeerView[], names: readonly number[]): Ring {
  const points: { readonly hash: number; readonly name: number }[] = [];
  for (const [i, peer] of peers.entries()) {
    const name = names[i] ?? 0;
    const base = nameCrc(peer.name);
    let hash = 0;
    for (let p = 0; p < peer.weight * POINTS_PER_WEIGHT; p++) {
      let crc = base;
      for (let shift = 0; shift < 32; shift += 8) crc = crc32Byte(crc, (hash >>> shift) & 0xff);
      hash = crc32End(crc);
      points.push({ hash, name });
    }
  }
  points.sort((a, b) => a.hash - b.hash);
  const distinct = points.filter((point, i) => i === 0 || point.hash !== points[i - 1]?.hash);
  return {
    hashes: Uint32Array.from(distinct, (point) => point.hash),
    owners: Uint32Array.from(distinct, (point) => point.name),
  };
}

/** As Cache::Memcached::Fast: crc32 of HOST \0 PORT, unfinished. The port is what the name ends in behind a colon, as written. */
function nameCrc(name: string): number {
  let host = name;
  let port = '';
  if (name.slice(0, 5).toLowerCase() === 'unix:') {
    host = name.slice(5);
  } else {
    const match = /^(.*):([0-9]*)$/s.exec(name);
    host = match?.[1] ?? name;
    port = match?.[2] ?? '';
  }
  return crc32Text(crc32Byte(crc32Text(CRC32_START, host), 0), port);
}

/** First point at or behind `hash`; may be one past the last: the ring closes by the modulo. */
function findPoint(hashes: Uint32Array, hash: number): number {
  let low = 0;
  let high = hashes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((hashes[middle] as number) < hash) low = middle + 1;
    else high = middle;
  }
  return low;
}
