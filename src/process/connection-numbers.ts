/** Numbers that a worker gets at a time. */
export const SPAN = 100_000;

/**
 * The numbers of a worker's client connections (`*N` in the log, `$connection`): in order, and no other worker's. The primary hands them out in spans,
 * the next one long before it is needed.
 */
export class ConnectionNumbers {
  readonly #askForSpan: () => void;
  readonly #spans: number[] = [];
  #next = 1;
  #last = Number.POSITIVE_INFINITY;

  constructor(askForSpan: () => void) {
    this.#askForSpan = askForSpan;
  }

  /** A span of the primary's, by its first number. The first one comes before any connection. */
  take(first: number): void {
    if (this.#last === Number.POSITIVE_INFINITY) this.#begin(first);
    else this.#spans.push(first);
  }

  next(): number {
    // Without an answer all this time the numbers run on: two connections of one number are better than none.
    if (this.#next > this.#last) this.#begin(this.#spans.shift() ?? this.#next);
    return this.#next++;
  }

  #begin(first: number): void {
    this.#next = first;
    this.#last = first + SPAN - 1;
    if (this.#spans.length === 0) this.#askForSpan();
  }
}

/** The primary's side: who gets which. */
export class ConnectionSpans {
  #first = 1;

  /** First number of the next span. */
  take(): number {
    const first = this.#first;
    this.#first += SPAN;
    return first;
  }
}
