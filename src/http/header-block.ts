/**
 * Header fields as offsets into the bytes they came in; a string is made only when somebody asks.
 *
 * ```
 * bytes    Host: a\r\nX-One: 1\r\n\r\n
 * offsets  [nameStart nameEnd valueStart valueEnd] per field
 * ids      known-header id per field (0 = any other)
 * hidden   1 = not passed on by whoever writes the block
 * ```
 * Invariant: `bytes` belongs to the block's owner (exchange or upstream connection) until `reset()`.
 */
const FIRST_CAPACITY = 32;
const NO_BYTES = Buffer.alloc(0);

export class HeaderBlock {
  bytes: Buffer = NO_BYTES;
  count = 0;
  offsets: Uint32Array = new Uint32Array(FIRST_CAPACITY * 4);
  ids: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  hidden: Uint8Array = new Uint8Array(FIRST_CAPACITY);

  reset(bytes: Buffer = NO_BYTES): void {
    this.bytes = bytes;
    this.count = 0;
  }

  add(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number, id: number): void {
    const at = this.count;
    if (at === this.ids.length) this.#grow();
    const offsets = this.offsets;
    offsets[at * 4] = nameStart;
    offsets[at * 4 + 1] = nameEnd;
    offsets[at * 4 + 2] = valueStart;
    offsets[at * 4 + 3] = valueEnd;
    this.ids[at] = id;
    this.hidden[at] = 0;
    this.count = at + 1;
  }

  name(index: number): string {
    return this.bytes.toString('latin1', this.offsets[index * 4], this.offsets[index * 4 + 1]);
  }

  value(index: number): string {
    return this.bytes.toString('latin1', this.offsets[index * 4 + 2], this.offsets[index * 4 + 3]);
  }

  /** Is this the value, byte for byte? */
  hasValue(index: number, text: string): boolean {
    const start = this.offsets[index * 4 + 2] as number;
    const { length } = text;
    if ((this.offsets[index * 4 + 3] as number) - start !== length) return false;
    const bytes = this.bytes;
    for (let i = 0; i < length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  id(index: number): number {
    return this.ids[index] as number;
  }

  /** Index of the first field with this known id; -1 when there is none. */
  find(id: number): number {
    const ids = this.ids;
    for (let i = 0; i < this.count; i++) if (ids[i] === id) return i;
    return -1;
  }

  /** Does field `index` bear this (lower-case) name? */
  isNamed(index: number, lowerName: string): boolean {
    const start = this.offsets[index * 4] as number;
    const end = this.offsets[index * 4 + 1] as number;
    if (end - start !== lowerName.length) return false;
    const bytes = this.bytes;
    for (let i = 0; i < lowerName.length; i++) {
      let c = bytes[start + i] as number;
      if (c >= 0x41 && c <= 0x5a) c |= 0x20;
      if (c !== lowerName.charCodeAt(i)) return false;
    }
    return true;
  }

  /** Index of the first field of this lower-case name at or after `from`; -1 when there is none. */
  findNamed(lowerName: string, from = 0): number {
    for (let i = from; i < this.count; i++) if (this.isNamed(i, lowerName)) return i;
    return -1;
  }

  /** Value of the first field of this lower-case name; null when there is none. */
  get(lowerName: string): string | null {
    const at = this.findNamed(lowerName);
    return at < 0 ? null : this.value(at);
  }

  /** Values of all fields of this lower-case name. */
  getAll(lowerName: string): string[] {
    const values: string[] = [];
    for (let i = this.findNamed(lowerName); i >= 0; i = this.findNamed(lowerName, i + 1)) values.push(this.value(i));
    return values;
  }

  #grow(): void {
    const capacity = this.ids.length * 2;
    const offsets = new Uint32Array(capacity * 4);
    offsets.set(this.offsets);
    this.offsets = offsets;
    const ids = new Uint8Array(capacity);
    ids.set(this.ids);
    this.ids = ids;
    const hidden = new Uint8Array(capacity);
    hidden.set(this.hidden);
    this.hidden = hidden;
  }
}
