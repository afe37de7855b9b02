/** Parts of a whole weight: a power of two, so that sums of ramped weights are exact. */
const GRAIN = 256;

/**
 * `slow_start`: the weight of a peer that came back `sinceMs` ago and has `spanMs` to come to its full `weight`; more than 0 from the
 * beginning, so that it gets some requests to warm up with.
 */
export function slowStartWeight(weight: number, sinceMs: number, spanMs: number): number {
  if (spanMs <= 0 || sinceMs >= spanMs) return weight;
  return Math.max(1, Math.floor((weight * GRAIN * Math.max(sinceMs, 0)) / spanMs)) / GRAIN;
}
