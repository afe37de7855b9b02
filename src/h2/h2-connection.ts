import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { turnMs } from '../core/clock.ts';
import type { Deadlined } from '../core/deadlines.ts';
import type { H1Server } from '../h1/h1-server.ts';
import type { HeldConnection, TakenConnection } from '../h1/http2-entry.ts';
import { out } from '../h1/out-buffer.ts';
import type { ClientConnection } from '../http/client-stream.ts';
import { DEFAULT_HTTP2 } from '../http/http2-settings.ts';
import type { CoreSettings, ServerGroup } from '../http/location.ts';
import type { ProxyProtocol } from '../http/proxy-protocol.ts';
import type { ClientTls } from '../http/tls.ts';
import type { Wire, WireSink } from '../net/wire.ts';
import { REQUESTS, WAITING, WRITING } from '../observe/counters.ts';
import { type Flood, FloodGuard } from './flood-guard.ts';
import { H2Stream } from './h2-stream.ts';

/** How often a connection is looked at: floods, and how long it has been idle. */
const LOOK_EVERY_MS = 1000;
/** What all streams together may hold in memory: more than their buffers ever are, so that none is refused for it. */
const SESSION_MEMORY_MB = 64;
const MAX_FIELDS = 2000;
const MAX_RESPONSE_HEAD_BYTES = 1024 * 1024;
/** RFC 9113 section 6.9.1. Streams have windows of their own; the connection's never stands in the way. */
const LARGEST_WINDOW = 2 ** 31 - 1;
/** A window of nothing is never opened: it grows by what was read. */
const LEAST_WINDOW = 4096;
/** nghttp2's own limit answers otherwise; ours (flood-guard) comes first. */
const NO_LIMIT = 1_000_000;
const END_STREAM = constants.NGHTTP2_FLAG_END_STREAM;

/**
 * One client connection of HTTP/2 over node:http2. Each of its streams is an exchange of its own (h2-stream.ts).
 *
 * ```
 *  serving --- drain, address gone, keepalive_…: GOAWAY ---> closing --- last stream ended ---> lingering ---> closed
 *      \---- client's FIN, broken framing, flood: GOAWAY -----------------------------------------------------------/
 * ```
 */
export class H2Connection implements ClientConnection, HeldConnection, WireSink, Deadlined {
  readonly id: number;
  readonly acceptedAtMs: number;
  readonly unixPath: string;
  readonly tls: ClientTls | null;
  readonly proxyProtocol: ProxyProtocol | null;
  // Asked at once: the log names them also when the connection is gone.
  readonly localAddress: string;
  readonly localPort: number;
  requests = 0;
  deadlineAtMs = Number.POSITIVE_INFINITY;
  sweepIndex = -1;

  readonly server: H1Server;
  readonly #wire: Wire;
  readonly #socket: Socket;
  readonly #group: () => ServerGroup;
  readonly #session: ServerHttp2Session;
  readonly #guard: FloodGuard;
  #streams = 0;
  /** Since when no stream is open, and how long that may last. */
  #idleSinceAtMs: number;
  #idleMs: number;
  #isClosing = false;
  #isGone = false;

  constructor(server: H1Server, taken: TakenConnection, bytes: Buffer) {
    this.server = server;
    this.id = taken.id;
    this.acceptedAtMs = taken.acceptedAtMs;
    this.unixPath = taken.unixPath;
    this.tls = taken.tls;
    this.proxyProtocol = taken.proxyProtocol;
    this.#wire = taken.wire;
    this.localAddress = taken.wire.localAddress;
    this.localPort = taken.wire.localPort;
    this.#group = taken.group;
    const { defaultServer } = this.#group();
    const settings = defaultServer.http2 ?? DEFAULT_HTTP2;
    this.#guard = new FloodGuard(settings);
    this.#idleSinceAtMs = turnMs();
    this.#idleMs = defaultServer.settings.clientHeaderTimeoutMs;

    const { wire } = taken;
    if (wire.takeSocket === undefined) throw new Error('a wire without a socket');
    this.#socket = wire.takeSocket();
    wire.sink = this;
    this.#socket.unshift(bytes);
    this.#session = performServerHandshake(this.#socket, {
      settings: {
        maxConcurrentStreams: settings.maxConcurrentStreams,
        initialWindowSize: Math.max(settings.bodyPrereadBytes, LEAST_WINDOW),
        enablePush: false,
      },
      maxSessionMemory: SESSION_MEMORY_MB,
      maxHeaderListPairs: MAX_FIELDS,
      maxSendHeaderBlockLength: MAX_RESPONSE_HEAD_BYTES,
      streamResetBurst: NO_LIMIT,
      streamResetRate: NO_LIMIT,
      strictSingleValueFields: false,
    });
    this.#listen(this.#session);
    this.#count(WAITING, 1);
    this.#lookLater();
  }

  get isTls(): boolean {
    return this.tls?.isEncrypted === true;
  }

  get remoteAddress(): string {
    return this.unixPath === '' ? this.#wire.remoteAddress : 'unix:';
  }

  get remotePort(): number {
    return this.#wire.remotePort;
  }

  // --- as the worker holds it

  get idleSinceAtMs(): number {
    return this.#streams > 0 || this.#isClosing ? Number.POSITIVE_INFINITY : this.#idleSinceAtMs;
  }

  closeIfIdle(): void {
    if (this.#streams === 0 || this.server.isDraining) this.#close();
  }

  destroyNow(): void {
    if (!this.#session.destroyed) this.#session.destroy();
    this.#wire.destroy();
  }

  // --- from the wire, which has no other part in it

  onBytes(): void {
    // node:http2 reads
  }

  onDrain(): void {
    // node:http2 writes
  }

  /** As in nginx, a client that sends FIN has gone, whatever it still waits for. */
  onFin(): void {
    if (!this.#session.destroyed) this.#session.destroy();
    this.#wire.endAndClose();
  }

  onClose(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    if (!this.#session.destroyed) this.#session.destroy();
    if (this.#streams === 0) this.#count(WAITING, -1);
    this.server.deadlines.remove(this);
    this.server.forget(this);
  }

  onDeadline(): void {
    out.enterTurn();
    const now = turnMs();
    const session = this.#session;
    const isIdle = this.#streams === 0;
    if (session.destroyed || (isIdle && (this.#isClosing || session.closed))) {
      // What was sent had its time; a client that does not close is not waited for any longer.
      this.destroyNow();
    } else if (!this.#stopFlood(this.#guard.check(now, this.#socket.bytesRead))) {
      const isIdleTooLong = isIdle && this.#idleMs > 0 && now - this.#idleSinceAtMs >= this.#idleMs;
      if (isIdleTooLong && this.requests === 0) this.#log('client timed out (110: Connection timed out)');
      if (isIdleTooLong || this.#group().isRetired === true) this.#close();
      if (this.deadlineAtMs === Number.POSITIVE_INFINITY) this.#lookLater();
    }
    out.leaveTurn();
  }

  // --- from its streams

  /** A piece of a body came. */
  onMessageBytes(bytes: number): void {
    this.#guard.message(bytes);
  }

  /** A stream is over. `isReset`: not in order, and not because of us. */
  streamEnded(sentBytes: number, isReset: boolean): void {
    this.#guard.sent(sentBytes);
    this.#count(WRITING, -1);
    this.#streams--;
    if (this.#streams === 0 && !this.#isGone) {
      const now = turnMs();
      this.#count(WAITING, 1);
      this.#idleSinceAtMs = now;
      this.#idleMs = this.#core().keepaliveTimeoutMs;
      if (this.#isClosing || this.#session.closed) this.#linger();
    }
    if (isReset) this.#stopFlood(this.#guard.reset(turnMs(), this.#socket.bytesRead));
  }

  // --- the session

  #listen(session: ServerHttp2Session): void {
    session.on('stream', (node, _headers, flags, raw) => this.#begin(node, flags, raw as unknown as string[]));
    session.on('error', (error) => {
      if (!this.#isClosing) this.#log(error.message);
    });
    const onControlFrame = (): void => void this.#stopFlood(this.#guard.controlFrame(turnMs(), this.#socket.bytesRead));
    session.on('ping', onControlFrame);
    session.on('remoteSettings', onControlFrame);
    session.setLocalWindowSize(LARGEST_WINDOW);
  }

  #begin(node: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    out.enterTurn();
    const group = this.#group();
    const { values } = this.server.counters;
    values[REQUESTS] = (values[REQUESTS] as number) + 1;
    this.requests++;
    if (this.#streams++ === 0) this.#count(WAITING, -1);
    this.#count(WRITING, 1);
    const { keepaliveRequests, keepaliveTimeMs, keepaliveTimeoutMs } = group.defaultServer.defaultLocation.core;
    if (
      group.isRetired === true ||
      keepaliveTimeoutMs === 0 ||
      this.requests >= keepaliveRequests ||
      turnMs() - this.acceptedAtMs > keepaliveTimeMs
    ) {
      this.#close();
    }
    const stream = new H2Stream(this, node, group);
    stream.begin(raw, (flags & END_STREAM) !== 0);
    this.#guard.message(stream.headBytes);
    out.leaveTurn();
  }

  /** No more streams from here on; GOAWAY says so. What is under way is finished. */
  #close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    if (!this.#session.destroyed) this.#session.close();
    if (this.#streams > 0) return;
    // Nothing that the client could still want is under way.
    if (this.#socket.writableFinished) this.#wire.destroy();
    else this.#socket.once('finish', () => this.#wire.destroy());
    this.#linger();
  }

  /** FIN was sent or will be. Closing at once would reset a client that has not read everything. */
  #linger(): void {
    this.server.deadlines.set(this, turnMs() + this.#core().lingeringTimeoutMs);
  }

  /** True: the connection is given up. */
  #stopFlood(flood: Flood | null): boolean {
    if (flood === null || this.#session.destroyed) return false;
    this.#log(`http2 flood detected: too many ${flood}`, 'warn');
    this.server.flushLogs();
    this.#isClosing = true;
    this.#session.destroy(new Error('flood'), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    this.#linger();
    return true;
  }

  #lookLater(): void {
    this.server.deadlines.set(this, turnMs() + LOOK_EVERY_MS);
  }

  #core(): CoreSettings {
    return this.#group().defaultServer.defaultLocation.core;
  }

  #count(gauge: number, by: number): void {
    const { values } = this.server.counters;
    values[gauge] = (values[gauge] as number) + by;
  }

  #log(text: string, level: 'info' | 'warn' = 'info'): void {
    const { errorLog } = this.#group().defaultServer.defaultLocation;
    errorLog.writeWaiting(level, this, `${text} while processing HTTP/2 connection`);
  }
}
