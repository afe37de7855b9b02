/** Something that must not wait for ever. The fields belong to the sweep; everybody else goes through it. */
export interface Deadlined {
  /** Instant on the `nowMs()` scale; Infinity = none. */
  deadlineAtMs: number;
  /** Place in the sweep's list; -1 = not in it. */
  sweepIndex: number;
  /** The deadline passed. It is already cleared when this is called. */
  onDeadline(): void;
}

/** Never sweep more often than this: deadlines are late by at most so much. */
const FINEST_MS = 5;
const LONGEST_SLEEP_MS = 60_000;

/**
 * Deadlines of many connections with one timer: setting one is a field write and a compare, not a timer.
 * The timer wakes at the earliest deadline seen by the last sweep or set since; most of what it finds then has moved on.
 */
export class Deadlines {
  readonly #now: () => number;
  readonly #items: Deadlined[] = [];
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** `item.onDeadline()` will run soon after `atMs` unless it is set anew or removed before. */
  set(item: Deadlined, atMs: number): void {
    item.deadlineAtMs = atMs;
    if (item.sweepIndex < 0) {
      item.sweepIndex = this.#items.length;
      this.#items.push(item);
    }
    if (atMs < this.#wakeAtMs) this.#wakeAt(atMs);
  }

  /** Keeps its place in the list, for an item that will be set again soon. */
  clear(item: Deadlined): void {
    item.deadlineAtMs = Number.POSITIVE_INFINITY;
  }

  remove(item: Deadlined): void {
    const at = item.sweepIndex;
    item.deadlineAtMs = Number.POSITIVE_INFINITY;
    if (at < 0) return;
    item.sweepIndex = -1;
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      this.#items[at] = last;
      last.sweepIndex = at;
    }
  }

  get size(): number {
    return this.#items.length;
  }

  #wakeAt(atMs: number): void {
    this.#wakeAtMs = atMs;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const sleepMs = Math.min(Math.max(atMs - this.#now(), FINEST_MS), LONGEST_SLEEP_MS);
    this.#timer = setTimeout(() => this.#sweep(), sleepMs);
    this.#timer.unref();
  }

  #sweep(): void {
    this.#timer = null;
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    const now = this.#now();
    let earliest = Number.POSITIVE_INFINITY;
    let due: Deadlined[] | null = null;
    for (const item of this.#items) {
      if (item.deadlineAtMs <= now) (due ??= []).push(item);
      else if (item.deadlineAtMs < earliest) earliest = item.deadlineAtMs;
    }
    if (earliest < Number.POSITIVE_INFINITY) this.#wakeAt(earliest);
    if (due === null) return;
    for (const item of due) {
      // An earlier one of this batch may have ended or prolonged it.
      if (item.deadlineAtMs > now || item.sweepIndex < 0) continue;
      item.deadlineAtMs = Number.POSITIVE_INFINITY;
      item.onDeadline();
    }
  }
}
