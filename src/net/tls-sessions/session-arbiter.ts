import type { SessionPrimaryMessage, SessionWorkerMessage } from './session-message.ts';
import { SessionStore } from './session-store.ts';

/** A `shared:name:size` of the configuration. */
export interface SessionZone {
  readonly name: string;
  readonly bytes: number;
}

export interface SessionArbiterInit {
  /** To the worker of this pid. */
  readonly send: (worker: number, message: SessionPrimaryMessage) => void;
  /** On the `nowMs()` scale. */
  readonly now: () => number;
  /** Runs `answer` when all that waits on other channels has been read once. */
  readonly soon: (answer: () => void) => void;
}

/** The primary's half: the sessions of all workers. They outlive workers and reloads. */
export class SessionArbiter {
  readonly #init: SessionArbiterInit;
  #stores = new Map<string, SessionStore>();

  constructor(init: SessionArbiterInit) {
    this.#init = init;
  }

  /** The zones that there are from now on. */
  open(zones: readonly SessionZone[]): void {
    const before = this.#stores;
    this.#stores = new Map();
    for (const { name, bytes } of zones) {
      const store = before.get(name) ?? new SessionStore(bytes);
      store.resize(bytes);
      this.#stores.set(name, store);
    }
  }

  receive(worker: number, message: SessionWorkerMessage): void {
    const store = this.#stores.get(message.zone);
    const now = this.#init.now();
    if (message.kind === 'session-made') {
      store?.keep(message.id, message.session, now + message.lifeMs, now);
      return;
    }
    const { query, id } = message;
    const find = (): string | null => store?.find(id, this.#init.now()) ?? null;
    const answer = (session: string | null): void =>
      this.#init.send(worker, { kind: 'session-answer', query, session });
    const session = find();
    if (session !== null) return answer(session);
    // The worker that made it has told us before the client could come back, but on another channel, which may be read after this one.
    this.#init.soon(() => answer(find()));
  }
}
