/**
 * `panic_threshold`: with too few peers up, those that are left would be crushed by the requests of all the others, or the checks
 * are wrong about them (one request that makes every backend answer 500, one broken health page). Then it is better to use all.
 * `up` of `count` peers that could be up; a peer that is `down` or has never passed a mandatory check is not counted.
 */
export function isPanic(up: number, count: number, thresholdPercent: number): boolean {
  return count > 0 && up * 100 < count * thresholdPercent;
}
