const WORD_BITS = 32;

/** Which peers of a set this request has been at; nginx's bit map. Reused: `clear` before each use. */
export class TriedSet {
  /** Peers 0..31: what nearly every request needs. */
  #first = 0;
  /** Peers 32 and up; grows to the largest set seen. */
  #rest: Uint32Array = new Uint32Array(0);

  /** No pick yet: what nearly every pick finds. */
  isEmpty = true;

  has(index: number): boolean {
    if (index < WORD_BITS) return ((this.#first >>> index) & 1) === 1;
    const word = this.#rest[(index >>> 5) - 1];
    return word !== undefined && ((word >>> (index & 31)) & 1) === 1;
  }

  add(index: number): void {
    this.isEmpty = false;
    if (index < WORD_BITS) {
      this.#first |= 1 << index;
      return;
    }
    const at = (index >>> 5) - 1;
    if (at >= this.#rest.length) {
      const larger = new Uint32Array(at + 1);
      larger.set(this.#rest);
      this.#rest = larger;
    }
    this.#rest[at] = (this.#rest[at] ?? 0) | (1 << (index & 31));
  }

  clear(): void {
    if (this.isEmpty) return;
    this.isEmpty = true;
    this.#first = 0;
    if (this.#rest.length > 0) this.#rest.fill(0);
  }
}
