/** What a session costs beside its id and itself: strings' heads and a place in the table. */
const ENTRY_BYTES = 200;

interface Entry {
  readonly session: string;
  readonly expiresAtMs: number;
  readonly bytes: number;
}

/**
 * TLS sessions by id, in a bounded space: a new one drives out those that are over and, where that is not enough, the oldest, as nginx's
 * shared cache does. Using a session does not make it younger.
 */
export class SessionStore {
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #maxBytes: number;
  readonly #maxEntries: number;

  constructor(maxBytes: number, maxEntries = Number.POSITIVE_INFINITY) {
    this.#maxBytes = maxBytes;
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A reload may say another size. */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#makeRoom();
  }

  /** Null: there is none, or it is over. */
  find(id: string, nowMs: number): string | null {
    const entry = this.#entries.get(id);
    if (entry === undefined) return null;
    if (nowMs < entry.expiresAtMs) return entry.session;
    this.#drop(id, entry);
    return null;
  }

  keep(id: string, session: string, expiresAtMs: number, nowMs: number): void {
    const known = this.#entries.get(id);
    if (known !== undefined) this.#drop(id, known);
    const bytes = ENTRY_BYTES + id.length + session.length;
    if (bytes > this.#maxBytes) return;
    this.#entries.set(id, { session, expiresAtMs, bytes });
    this.#bytes += bytes;
    this.#dropExpired(nowMs);
    this.#makeRoom();
  }

  /** Two at most: the work is spread over those who come. */
  #dropExpired(nowMs: number): void {
    let left = 2;
    for (const [id, entry] of this.#entries) {
      if (left-- === 0 || nowMs < entry.expiresAtMs) return;
      this.#drop(id, entry);
    }
  }

  #makeRoom(): void {
    for (const [id, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes && this.#entries.size <= this.#maxEntries) return;
      this.#drop(id, entry);
    }
  }

  #drop(id: string, entry: Entry): void {
    this.#entries.delete(id);
    this.#bytes -= entry.bytes;
  }
}
