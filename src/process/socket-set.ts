import { setTimeout as sleep } from 'node:timers/promises';
import type { ListenAddress } from '../net/listen-address.ts';
import type { Log } from '../observe/error-log.ts';
import { BindError, ListenSocket, listenKey } from './listen-socket.ts';

/** As nginx: an address in use may be that of a process which is just ending. */
const TRIES = 5;
const BETWEEN_TRIES_MS = 500;

/** The sockets that the primary holds. A change is made in two steps, so that a refused configuration costs nothing. */
export class SocketSet {
  readonly #log: Log;
  #sockets = new Map<string, ListenSocket>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Sockets in force. */
  current(): ListenSocket[] {
    return [...this.#sockets.values()];
  }

  /**
   * Binds what `addresses` has and we have not; resolves the whole new set, or null when that failed (said in the log with nginx's words;
   * nothing is kept of it then) or was no longer wanted.
   */
  async bind(addresses: readonly ListenAddress[], abandoned: AbortSignal): Promise<BoundSet | null> {
    const known = this.#sockets;
    const next = new Map<string, ListenSocket>();
    const added: ListenSocket[] = [];
    let missing = [...addresses];
    for (let tryNumber = 1; missing.length > 0; tryNumber++) {
      const failed: ListenAddress[] = [];
      let isHopeless = false;
      for (const address of missing) {
        const key = listenKey(address);
        const kept = known.get(key) ?? next.get(key);
        try {
          const socket = kept ?? (await ListenSocket.bind(address));
          if (kept === undefined) added.push(socket);
          else this.#warnOfReusePort(kept.address, address);
          next.set(key, socket);
        } catch (error) {
          if (!(error instanceof BindError)) throw error;
          this.#log.write('emerg', error.message);
          failed.push(address);
          isHopeless ||= !error.isInUse;
        }
      }
      missing = failed;
      if (missing.length === 0) break;
      if (isHopeless || tryNumber === TRIES) {
        if (!isHopeless) this.#log.write('emerg', 'still could not bind()');
        for (const socket of added) socket.close();
        return null;
      }
      this.#log.write('notice', `try again to bind() after ${BETWEEN_TRIES_MS}ms`);
      await sleep(BETWEEN_TRIES_MS, undefined, { signal: abandoned }).catch(() => undefined); // looked at below
      if (abandoned.aborted) {
        for (const socket of added) socket.close();
        return null;
      }
    }
    return { sockets: next, added, addresses };
  }

  /** A socket is bound with `reuseport` or without: another one could not be bound beside it. */
  #warnOfReusePort(kept: ListenAddress, address: ListenAddress): void {
    if (kept.isReusePort === address.isReusePort) return;
    const change = address.isReusePort ? 'begins' : 'ends';
    this.#log.write('warn', `"reuseport" of ${address.text} ${change} with the next start: the socket stays open`);
  }

  /** The new set is in force; gives the sockets that are no longer in it, still open. */
  commit(bound: BoundSet): ListenSocket[] {
    const gone = [...this.#sockets].filter(([key]) => !bound.sockets.has(key)).map(([, socket]) => socket);
    this.#sockets = bound.sockets;
    for (const address of bound.addresses) bound.sockets.get(listenKey(address))?.follow(address);
    return gone;
  }

  /** The new set was refused. */
  abandon(bound: BoundSet): void {
    for (const socket of bound.added) socket.close();
  }
}

export interface BoundSet {
  readonly sockets: Map<string, ListenSocket>;
  /** Those that were bound for it. */
  readonly added: readonly ListenSocket[];
  readonly addresses: readonly ListenAddress[];
}
