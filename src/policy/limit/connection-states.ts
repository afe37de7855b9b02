import { SlabSpace } from './slab-space.ts';

/** nginx's: what a zone keeps for itself, and for each state beside the key. */
const SHARED_BYTES = 64;
const STATE_BYTES = 36;
const LOG_CONTEXT = ' in limit_conn_zone ""\0';

/** How many connections each key of one `limit_conn_zone` has. A key without any takes no room. */
export class ConnectionStates {
  readonly #space: SlabSpace;
  readonly #counts = new Map<string, number>();

  constructor(zone: { readonly name: string; readonly bytes: number }) {
    this.#space = new SlabSpace(zone.bytes);
    this.#space.take(LOG_CONTEXT.length + zone.name.length);
    this.#space.take(SHARED_BYTES);
  }

  get size(): number {
    return this.#counts.size;
  }

  /** Counts one more unless there are `most` already, or no room for another key. */
  take(key: string, most: number): 'taken' | 'rejected' | 'full' {
    const count = this.#counts.get(key);
    if (count === undefined) {
      if (!this.#space.take(STATE_BYTES + key.length)) return 'full';
      this.#counts.set(key, 1);
      return 'taken';
    }
    if (count >= most) return 'rejected';
    this.#counts.set(key, count + 1);
    return 'taken';
  }

  /** One less; of a key that has none nothing happens. */
  release(key: string): void {
    const count = this.#counts.get(key);
    if (count === undefined) return;
    if (count > 1) {
      this.#counts.set(key, count - 1);
      return;
    }
    this.#counts.delete(key);
    this.#space.give(STATE_BYTES + key.length);
  }

  count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  [Symbol.iterator](): IterableIterator<[key: string, count: number]> {
    return this.#counts.entries();
  }
}
