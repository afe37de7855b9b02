import type { PeerView } from '../peer-view.ts';

/** Peers laid end to end, each as long as its weight: which one stands at a number? Binary search instead of nginx's walk, same answer. */
export class WeightRanges {
  readonly total: number;
  /** First number of each peer. */
  readonly #starts: Float64Array;

  constructor(peers: readonly PeerView[]) {
    this.#starts = new Float64Array(peers.length);
    let start = 0;
    for (const [i, peer] of peers.entries()) {
      this.#starts[i] = start;
      start += peer.weight;
    }
    this.total = start;
  }

  /** Index of the peer at `place`, 0..total-1. */
  indexAt(place: number): number {
    const starts = this.#starts;
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (place < (starts[middle] as number)) high = middle;
      else low = middle;
    }
    return low;
  }
}
