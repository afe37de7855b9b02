import { turnMs } from '../core/clock.ts';
import type { Deadlines } from '../core/deadlines.ts';
import type { ClientConnection, ClientStream } from '../http/client-stream.ts';
import { Exchange } from '../http/exchange.ts';
import type { ServerGroup } from '../http/location.ts';
import type { ClientTls } from '../http/tls.ts';
import type { Wire } from '../net/wire.ts';
import { ACCEPTED, ACTIVE, type Counters, HANDLED } from '../observe/counters.ts';
import type { HeldConnection, Http2Entry, TakenConnection } from './http2-entry.ts';
import { ServerConnection } from './server-connection.ts';

/** Finished exchanges kept for the next requests, as many as ten connections of HTTP/2 at work have; more are left to the garbage collector. */
const MAX_SPARE = 1024;
const MAX_CLOSED_AT_ONCE = 32;
/** So long a new connection may say nothing before it is given up for others. */
const MAX_SILENCE_MS = 1000;
const SMALL_HEAD_BYTES = 1024;

export interface H1ServerOptions {
  readonly deadlines: Deadlines;
  readonly counters: Counters;
  /** Writes pending log lines: called before a client's connection is closed. */
  readonly flushLogs: () => void;
  /** Number of the next connection. Default: 1, 2, … */
  readonly nextConnectionId?: () => number;
  /** Who serves connections that turn out to be HTTP/2. Default: nobody, they are malformed. */
  readonly http2?: Http2Entry;
}

/**
 * The client connections of one worker, whatever address they came in by. Each begins as one of HTTP/1.1; those that turn out to be
 * HTTP/2 go on as `HeldConnection`s of another kind, and are drained and counted along.
 */
export class H1Server {
  readonly deadlines: Deadlines;
  readonly counters: Counters;
  readonly flushLogs: () => void;
  readonly http2: Http2Entry | null;
  readonly #connections = new Set<HeldConnection>();
  readonly #spareExchanges: Exchange[] = [];
  readonly #spareHeads: Buffer[] = [];
  readonly #nextConnectionId: () => number;
  #isDraining = false;
  #onEmpty: (() => void) | null = null;

  constructor(options: H1ServerOptions) {
    this.deadlines = options.deadlines;
    this.counters = options.counters;
    this.flushLogs = options.flushLogs;
    this.http2 = options.http2 ?? null;
    let count = 0;
    this.#nextConnectionId = options.nextConnectionId ?? (() => ++count);
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Serves a new connection. `group` is asked at each request, so that a reload takes hold at the next one. */
  accept(wire: Wire, group: () => ServerGroup, unixPath = '', tls: ClientTls | null = null): void {
    const { values } = this.counters;
    values[ACCEPTED] = (values[ACCEPTED] as number) + 1;
    values[HANDLED] = (values[HANDLED] as number) + 1;
    values[ACTIVE] = (values[ACTIVE] as number) + 1;
    const connection = new ServerConnection(this, wire, this.#nextConnectionId(), group, { unixPath, tls }, turnMs());
    this.#connections.add(connection);
    wire.sink = connection;
    connection.awaitFirstRequest();
  }

  /**
   * QUIT: idle and still silent connections close now, busy ones after their response. Resolves when none is left.
   * Listening sockets are the caller's to close.
   */
  drain(): Promise<void> {
    this.#isDraining = true;
    for (const connection of [...this.#connections]) connection.closeIfIdle();
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  /**
   * Connections run short: closes those that are idle for the longest time, as many as nginx at once (an eighth of them, 32 at most).
   * One that was just made is spared: its first request may be on its way. Tells how many.
   */
  closeLongestIdle(): number {
    const now = turnMs();
    const idle = [...this.#connections].filter(
      (connection) => connection.idleSinceAtMs <= (connection.requests > 0 ? now : now - MAX_SILENCE_MS),
    );
    idle.sort((a, b) => a.idleSinceAtMs - b.idleSinceAtMs);
    const closed = idle.slice(0, Math.max(1, Math.min(MAX_CLOSED_AT_ONCE, Math.floor(idle.length / 8))));
    for (const connection of closed) connection.closeIfIdle();
    return closed.length;
  }

  /** Closes everything that is left, at once (worker_shutdown_timeout, TERM). */
  destroyAll(): void {
    for (const connection of [...this.#connections]) connection.destroyNow();
  }

  /** `connection` is one of HTTP/2, which lives on in its place; `bytes` are all that were read. */
  handOver(connection: HeldConnection, taken: TakenConnection, bytes: Buffer): void {
    if (this.http2 === null || !this.#connections.delete(connection)) return;
    this.#connections.add(this.http2.begin(this, taken, bytes));
  }

  /** Called by a connection that is gone. */
  forget(connection: HeldConnection): void {
    if (!this.#connections.delete(connection)) return;
    const { values } = this.counters;
    values[ACTIVE] = (values[ACTIVE] as number) - 1;
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  /** An exchange for a request that begins on `connection`. */
  takeExchange(connection: ClientConnection, stream: ClientStream, group: ServerGroup): Exchange {
    const ex = this.#spareExchanges.pop();
    if (ex === undefined) return new Exchange(connection, stream, group.defaultServer);
    ex.connection = connection;
    ex.stream = stream;
    ex.reset(group.defaultServer);
    return ex;
  }

  giveExchangeBack(ex: Exchange): void {
    ex.recycle();
    if (this.#spareExchanges.length < MAX_SPARE) this.#spareExchanges.push(ex);
  }

  /** Storage for a request's head. */
  takeHeadStorage(bytes: number): Buffer {
    if (bytes <= SMALL_HEAD_BYTES) return this.#spareHeads.pop() ?? Buffer.allocUnsafeSlow(SMALL_HEAD_BYTES);
    return Buffer.allocUnsafeSlow(bytes);
  }

  giveHeadStorageBack(storage: Buffer): void {
    if (storage.length === SMALL_HEAD_BYTES && this.#spareHeads.length < MAX_SPARE) this.#spareHeads.push(storage);
  }
}
