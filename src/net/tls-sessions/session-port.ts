import type { SessionPrimaryMessage, SessionWorkerMessage } from './session-message.ts';

export interface SessionPortInit {
  readonly send: (message: SessionWorkerMessage) => void;
  /** Runs `check` after that time. */
  readonly later: (check: () => void, ms: number) => void;
}

/** A handshake that waits longer for its session is made without one. */
const PATIENCE_MS = 1000;

/** A worker's half of the shared session caches: asks the primary. */
export class SessionPort {
  readonly #init: SessionPortInit;
  readonly #pending = new Map<number, (session: Buffer | null) => void>();
  #nextQuery = 1;
  #isWatching = false;

  constructor(init: SessionPortInit) {
    this.#init = init;
  }

  /** `done` gets the session, or null; always, and later. */
  find(zone: string, id: string, done: (session: Buffer | null) => void): void {
    const query = this.#nextQuery++;
    this.#pending.set(query, done);
    this.#init.send({ kind: 'session-found?', zone, query, id });
    if (!this.#isWatching) this.#watch();
  }

  keep(zone: string, id: string, session: Buffer, lifeMs: number): void {
    this.#init.send({ kind: 'session-made', zone, id, session: session.toString('base64'), lifeMs });
  }

  receive({ query, session }: SessionPrimaryMessage): void {
    this.#settle(query, session === null ? null : Buffer.from(session, 'base64'));
  }

  #settle(query: number, session: Buffer | null): void {
    const done = this.#pending.get(query);
    this.#pending.delete(query);
    done?.(session);
  }

  #watch(): void {
    const before = this.#nextQuery;
    this.#isWatching = true;
    this.#init.later(() => {
      this.#isWatching = false;
      for (const query of [...this.#pending.keys()]) if (query < before) this.#settle(query, null);
      if (this.#pending.size > 0) this.#watch();
    }, PATIENCE_MS);
  }
}
