/**
 * Bytes read from a client and not used up yet.
 *
 * Invariant: during `onBytes` the queue may point into the socket's shared read buffer (borrowed); `keep()` at the end of the call copies
 * what is left. So between calls all bytes here are its own.
 */
export class InputQueue {
  bytes: Buffer = NOTHING;
  start = 0;
  end = 0;
  #isBorrowed = false;

  get length(): number {
    return this.end - this.start;
  }

  /** Adds bytes that are valid until `keep()`. */
  offer(buffer: Buffer, length: number): void {
    if (this.start === this.end) {
      this.bytes = buffer;
      this.start = 0;
      this.end = length;
      this.#isBorrowed = true;
      return;
    }
    this.#ownWith(buffer, length);
  }

  /** Copies what is left of borrowed bytes. */
  keep(): void {
    if (!this.#isBorrowed) return;
    this.#isBorrowed = false;
    if (this.start === this.end) {
      this.clear();
      return;
    }
    this.bytes = Buffer.from(this.bytes.subarray(this.start, this.end));
    this.end -= this.start;
    this.start = 0;
  }

  clear(): void {
    this.bytes = NOTHING;
    this.start = 0;
    this.end = 0;
    this.#isBorrowed = false;
  }

  #ownWith(buffer: Buffer, length: number): void {
    const kept = this.end - this.start;
    const joined = Buffer.allocUnsafe(kept + length);
    this.bytes.copy(joined, 0, this.start, this.end);
    buffer.copy(joined, kept, 0, length);
    this.bytes = joined;
    this.start = 0;
    this.end = kept + length;
    this.#isBorrowed = false;
  }
}

const NOTHING = Buffer.alloc(0);
