import { randomBytes } from 'node:crypto';

const KEY_BYTES = 48;
/** A ticket is understood for twice as long as its key makes tickets. */
const MAX_KEYS = 3;

/** Keys of session tickets where no file has one, the newest first: the same in all processes. They change while they are in use. */
export class TicketKeyRing {
  #keys: readonly Buffer[];

  /** 48 bytes each, one at least. */
  constructor(keys: readonly Buffer[] = [randomBytes(KEY_BYTES)]) {
    this.#keys = keys;
  }

  get keys(): readonly Buffer[] {
    return this.#keys;
  }

  /** Base64, for the workers. */
  get texts(): string[] {
    return this.#keys.map((key) => key.toString('base64'));
  }

  take(texts: readonly string[]): void {
    this.#keys = texts.map((text) => Buffer.from(text, 'base64'));
  }

  /** A new key makes tickets from now on; whoever learns it learns nothing of what older ones have sealed. */
  rotate(): void {
    this.#keys = [randomBytes(KEY_BYTES), ...this.#keys].slice(0, MAX_KEYS);
  }
}
