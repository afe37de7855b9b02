/** What `Wire.writeSoon` says of a chunk: the kernel has it; it goes out with the batch; it waits for the kernel; a copy of it does. */
export const TAKEN = 0;
export const BATCHED = 1;
export const BEHIND = 2;
export const COPIED = 3;
export type WriteResult = typeof TAKEN | typeof BATCHED | typeof BEHIND | typeof COPIED;

/** A wire with a chunk in the batch. */
export interface BatchedWire {
  /** Writes the chunk; true: it is free, the kernel has all of it or the wire a copy. */
  writeBatched(): boolean;
}

/**
 * Writes of one turn of the event loop, made together when all its sockets have been read (the check phase, right behind the poll phase).
 *
 * Measured: a write that wakes a sleeping peer costs several times one that finds it awake. Answers written one by one, each behind its own
 * request, wake the other side each time; in one go they wake it once (small GET, 64 connections: 2 us of kernel time less per request).
 */
class WriteBatch {
  #wires: BatchedWire[] = [];
  #spare: BatchedWire[] = [];
  #isPlanned = false;
  readonly #flush = (): void => this.flush();
  onFlushing: (() => void) | null = null;
  /** Told after each flush: whether the kernel took everything. */
  onFlushed: ((isAllTaken: boolean) => void) | null = null;

  get isEmpty(): boolean {
    return this.#wires.length === 0;
  }

  add(wire: BatchedWire): void {
    this.#wires.push(wire);
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(this.#flush);
  }

  /** Everything goes out now. What is added meanwhile makes the next batch. */
  flush(): void {
    this.#isPlanned = false;
    const wires = this.#wires;
    this.#wires = this.#spare;
    let isAllTaken = true;
    this.onFlushing?.();
    for (let i = 0; i < wires.length; i++) {
      if (!(wires[i] as BatchedWire).writeBatched()) isAllTaken = false;
    }
    wires.length = 0;
    this.#spare = wires;
    this.onFlushed?.(isAllTaken);
  }
}

export const writeBatch = new WriteBatch();
