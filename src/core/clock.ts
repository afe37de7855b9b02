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

// The instant of the turn at hand: -1 = not asked for yet.
let turnAtMs = -1;
let isInTurn = false;

/** A socket's callback begins: until `endTurn`, `turnMs` stands still. */
export function beginTurn(): void {
  isInTurn = true;
}

/** `isKept`: the next callback of this turn of the event loop goes on with the same instant; somebody calls `forgetTurn` when it is over. */
export function endTurn(isKept: boolean): void {
  isInTurn = false;
  if (!isKept) turnAtMs = -1;
}

/** The kernel is asked anew. */
export function forgetTurn(): void {
  turnAtMs = -1;
}

/**
 * `nowMs()`, asked of the kernel once per turn of the event loop (nginx's ngx_current_msec): for deadlines and durations, which are looked at
 * many times per request.
 */
export function turnMs(): number {
  if (!isInTurn) return nowMs();
  if (turnAtMs < 0) turnAtMs = nowMs();
  return turnAtMs;
}

/** Wall-clock milliseconds since the epoch, for logs and `Date:`; may jump. */
export function wallMs(): number {
  return Date.now();
}
