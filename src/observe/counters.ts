/** Places in `Counters.values`: nginx's stub_status numbers, in its order. */
export const ACCEPTED = 0;
export const HANDLED = 1;
export const REQUESTS = 2;
/** Open client connections now. */
export const ACTIVE = 3;
/** Of them, those that read a request's head. */
export const READING = 4;
/** Of them, those with a request in work, from its whole head to the end of the response. */
export const WRITING = 5;
/** Of them, idle keep-alive ones. */
export const WAITING = 6;
export const COUNTER_COUNT = 7;

/** From here on values are of the present moment, not sums since the start: a worker that ends takes its own along. */
const FIRST_GAUGE = ACTIVE;

/**
 * One worker's connection counters. The data path does `counters.values[REQUESTS]++` and nothing else;
 * the primary sums over the workers when somebody asks.
 */
export class Counters {
  /** Doubles: exact up to 2^53. */
  readonly values = new Float64Array(COUNTER_COUNT);
}

/** Adds `from` to `sum`. */
export function addCounters(sum: Float64Array, from: ArrayLike<number>): void {
  for (let i = 0; i < COUNTER_COUNT; i++) sum[i] = (sum[i] as number) + (from[i] ?? 0);
}

/** Adds to `sum` what stays of a worker that ended: its totals without its gauges. */
export function addRetired(sum: Float64Array, from: ArrayLike<number>): void {
  for (let i = 0; i < FIRST_GAUGE; i++) sum[i] = (sum[i] as number) + (from[i] ?? 0);
}
