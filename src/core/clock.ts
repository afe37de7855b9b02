/**
 * The process's clocks. Policies never call these: time comes to them as an argument.
 *
 * `nowMs()` counts from the machine's boot (CLOCK_MONOTONIC), so instants of different worker processes compare.
 */
const bootOffsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Monotonic milliseconds since boot, with fractions; the same scale in every process of this machine. */
export function nowMs(): number {
  return performance.now() + bootOffsetMs;
}

/** Wall-clock milliseconds since the epoch, for logs and `Date:`; may jump. */
export function wallMs(): number {
  return Date.now();
}
