import { turnMs } from '../core/clock.ts';
import type { Deadlined } from '../core/deadlines.ts';
import { ProxyError } from '../core/errors.ts';
import type { BodySink, ClientConnection, ClientStream, TunnelEnd, TunnelSink } from '../http/client-stream.ts';
import { respondStatus } from '../http/error-response.ts';
import type { Exchange } from '../http/exchange.ts';
import type { HeaderBlock } from '../http/header-block.ts';
import type { Location, ServerGroup } from '../http/location.ts';
import { attributeRefused, beginExchange, logExchange } from '../http/phases.ts';
import type { ProxyProtocol } from '../http/proxy-protocol.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { ClientTls } from '../http/tls.ts';
import { HandshakeError } from '../net/tls-server-wire.ts';
import type { Wire, WireSink } from '../net/wire.ts';
import { REQUESTS } from '../observe/counters.ts';
import { ConnectionState } from './connection-state.ts';
import type { H1Server } from './h1-server.ts';
import { HeadInput } from './head-input.ts';
import type { HeadRefusal } from './head-refusal.ts';
import { Http2Sniffer, type Http2SnifferOwner } from './http2-sniffer.ts';
import { InputQueue } from './input-queue.ts';
import { Lingering } from './lingering.ts';
import { out } from './out-buffer.ts';
import { type PrefaceOwner, PrefaceSink } from './preface-sink.ts';
import { RequestBodyReader } from './request-body-reader.ts';
import { ResponseWriter } from './response-writer.ts';

const CLIENT_TIMED_OUT = 'client timed out (110: Connection timed out)';

/** Pipelined bytes kept while a request is in work; beyond, reading pauses. */
const MAX_PIPELINED_BYTES = 64 * 1024;

/** How a connection came. */
export interface AcceptedBy {
  /** Path of the listening socket; ''. */
  readonly unixPath: string;
  /** Null: the port is none of TLS. */
  readonly tls: ClientTls | null;
}

/**
 * One client connection: reads request after request, runs each as an exchange, and is that exchange's stream.
 * Every wait has a deadline; every way out of an exchange goes through `#finish`, once.
 */
export class ServerConnection
  implements ClientConnection, ClientStream, WireSink, PrefaceOwner, Http2SnifferOwner, Deadlined
{
  readonly id: number;
  readonly acceptedAtMs: number;
  readonly unixPath: string;
  readonly tls: ClientTls | null;
  proxyProtocol: ProxyProtocol | null = null;
  requests = 0;
  deadlineAtMs = Number.POSITIVE_INFINITY;
  sweepIndex = -1;

  readonly #server: H1Server;
  readonly #wire: Wire;
  readonly #group: () => ServerGroup;
  readonly #input = new InputQueue();
  readonly #writer: ResponseWriter;
  readonly #head: HeadInput;
  readonly #state: ConnectionState;
  readonly #lingering = new Lingering();
  #ex: Exchange | null = null;
  #requestGroup: ServerGroup | null = null;
  #body: RequestBodyReader | null = null;
  #tunnel: TunnelSink | null = null;
  #isAdvancing = false;
  #isFinSeen = false;
  #isReadingPaused = false;
  #isEnding = false;
  /** Bytes of the next request were here when the last one ended. */
  #isNextPipelined = false;
  #isContinueSent = false;
  /** A deadline of the request at hand has passed (reset_timedout_connection). */
  #isTimedOut = false;
  /** Nobody wants the rest of the body: it is read and dropped. */
  #isBodyDropped = false;
  /** What the connection does before its first request, for the log. */
  #doing = 'waiting for request';
  /** How long the connection may now be idle. */
  #idleMs = 0;

  constructor(
    server: H1Server,
    wire: Wire,
    id: number,
    group: () => ServerGroup,
    { unixPath, tls }: AcceptedBy,
    acceptedAtMs: number,
  ) {
    this.id = id;
    this.acceptedAtMs = acceptedAtMs;
    this.unixPath = unixPath;
    this.tls = tls;
    this.#server = server;
    this.#wire = wire;
    this.#group = group;
    this.#writer = new ResponseWriter(wire, () => this.#watchSending());
    this.#head = new HeadInput(server);
    this.#state = new ConnectionState(server.counters);
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

  get localAddress(): string {
    return this.#wire.localAddress;
  }

  get localPort(): number {
    return this.#wire.localPort;
  }

  /** Starts the clock of client_header_timeout (of the default server, as nginx does). */
  awaitFirstRequest(): void {
    const { defaultServer, readsProxyProtocol } = this.#group();
    const { clientHeaderTimeoutMs, clientHeaderBufferBytes } = defaultServer.settings;
    this.#idleMs = clientHeaderTimeoutMs;
    this.#deadlineIn(this.#idleMs);
    if (readsProxyProtocol !== true) {
      this.#awaitHttp2();
      return;
    }
    this.#doing = 'reading PROXY protocol';
    this.#wire.sink = new PrefaceSink(this.#wire, this, clientHeaderBufferBytes);
  }

  prefaceRead(info: ProxyProtocol | null): void {
    this.proxyProtocol = info;
    this.#doing = 'waiting for request';
    this.#awaitHttp2();
  }

  /** Where HTTP/2 may come, the first bytes are looked at. */
  #awaitHttp2(): void {
    const { http2 } = this.#server;
    const wire = this.#wire;
    if (http2 === null || wire.takeSocket === undefined) return;
    const { defaultServer, hasHttp2 } = this.#group();
    // On a TLS port the handshake decides, which may have chosen another server.
    if (this.tls !== null || hasHttp2 === true || defaultServer.http2?.isOn === true) {
      wire.sink = new Http2Sniffer(wire, this);
    }
  }

  get mayBeginHttp2(): boolean {
    return this.tls === null;
  }

  get hasChosenHttp2(): boolean {
    return this.tls?.isEncrypted === true && this.tls.alpnProtocol === 'h2';
  }

  becomeHttp2(bytes: Buffer): void {
    this.#server.deadlines.remove(this);
    this.#state.become('closed');
    const { id, acceptedAtMs, unixPath, tls, proxyProtocol } = this;
    const wire = this.#wire;
    const taken = { id, acceptedAtMs, unixPath, tls, proxyProtocol, wire, group: this.#group };
    this.#server.handOver(this, taken, bytes);
  }

  prefaceRefused(level: 'error' | 'info', reason: string): void {
    if (reason !== '') this.#logWaiting(level, reason);
    this.#close();
  }

  #logWaiting(level: 'error' | 'info', text: string): void {
    this.#group().defaultServer.defaultLocation.errorLog.writeWaiting(
      level,
      this,
      `${text} while ${this.tls?.isHandshaking === true ? 'SSL handshaking' : this.#doing}`,
    );
  }

  /** Since when nothing of a request has come; Infinity when something has, or when the wait has no end. */
  get idleSinceAtMs(): number {
    return this.#state.name === 'idle' ? this.deadlineAtMs - this.#idleMs : Number.POSITIVE_INFINITY;
  }

  /** Drain, or room is needed: closes it when nothing of a request has come. */
  closeIfIdle(): void {
    if (this.#state.name === 'idle') this.#close();
  }

  destroyNow(): void {
    this.#wire.destroy();
  }

  // --- from the wire

  onBytes(buffer: Buffer, length: number): void {
    out.enterTurn();
    // A copy: the other side may take its time, and the next client reads into the same buffer.
    if (this.#state.name === 'tunnel') this.#tunnel?.onTunnelData(Buffer.from(buffer.subarray(0, length)));
    else if (this.#state.name === 'lingering') this.#lingerOn();
    else if (this.#state.name !== 'closing' && this.#state.name !== 'closed') {
      this.#input.offer(buffer, length);
      this.#advance();
      this.#input.keep();
      this.#pauseIfFull();
    }
    out.leaveTurn();
  }

  onFin(): void {
    this.#isFinSeen = true;
    out.enterTurn();
    switch (this.#state.name) {
      case 'idle':
        this.#close();
        break;
      case 'head':
        this.#refuseSilently(400, 'client prematurely closed connection');
        break;
      case 'busy':
        this.#clientEnded();
        break;
      case 'tunnel':
        this.#tunnel?.onTunnelEnd(null);
        break;
      case 'discarding':
      case 'lingering':
        this.#close();
        break;
    }
    out.leaveTurn();
  }

  onDrain(): void {
    out.enterTurn();
    if (this.#state.name === 'tunnel') this.#tunnel?.onTunnelWritable();
    else if (this.#state.name === 'busy') {
      // What was awaited beside the room to send (a body, behind 100 Continue) is awaited on.
      const body = this.#body;
      if (body?.isWanted && !body.isDone) this.#deadlineIn(this.#location().core.clientBodyTimeoutMs);
      else this.#server.deadlines.clear(this);
      if (this.#isEnding) this.#finish();
      else this.#ex?.onWritable();
    }
    out.leaveTurn();
  }

  onClose(error: Error | null): void {
    const state = this.#state.name;
    this.#isFinSeen = true;
    if (error instanceof HandshakeError) this.#logWaiting('info', error.message);
    out.enterTurn();
    if (state === 'tunnel') {
      this.#tunnel?.onTunnelEnd(
        error === null
          ? null
          : new ProxyError('client-aborted', error.message, { side: 'client', status: 0, cause: error }),
      );
    } else if (state === 'head') {
      this.#refuseSilently(400, 'client prematurely closed connection');
    } else if (state === 'busy') {
      if (this.#isEnding) this.#finish();
      else this.#clientEnded(error);
    }
    // A content handler that goes on without its client (proxy_ignore_client_abort) still owns the exchange.
    if (this.#ex === null) this.#state.become('closed');
    this.#writer.drop();
    this.#input.clear();
    this.#server.deadlines.remove(this);
    this.#server.forget(this);
    out.leaveTurn();
  }

  onDeadline(): void {
    out.enterTurn();
    switch (this.#state.name) {
      case 'idle':
        if (this.requests === 0) this.#logWaiting('info', CLIENT_TIMED_OUT);
        this.#close();
        break;
      case 'discarding':
      case 'lingering':
        this.#close();
        break;
      case 'closing':
        this.#wire.destroy();
        break;
      case 'head':
        this.#isTimedOut = true;
        this.#refuseSilently(408, CLIENT_TIMED_OUT);
        break;
      case 'busy':
        this.#busyTooLong();
        break;
      case 'tunnel':
      case 'closed':
        break;
    }
    out.leaveTurn();
  }

  // --- requests

  /** Uses up the input as far as the state allows. Re-entered calls return at once: the loop of the first one goes on. */
  #advance(): void {
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    while (this.#input.length > 0 && this.#step());
    this.#isAdvancing = false;
  }

  /** One step; false when nothing more can be done with the input now. */
  #step(): boolean {
    const body = this.#body;
    switch (this.#state.name) {
      case 'idle':
        this.#beginHead();
        return true;
      case 'head':
        return this.#readHead();
      case 'busy': {
        if (body === null || body.isDone || body.isBroken || !body.isWanted) return false;
        const before = this.#input.length;
        this.#deadlineIn(this.#location().core.clientBodyTimeoutMs);
        body.deliver(this.#input);
        // While the body is delivered the exchange may end and the next request begin.
        if (this.#body === body && (body.isDone || !body.isWanted)) this.#server.deadlines.clear(this);
        return this.#input.length < before || this.#state.name !== 'busy';
      }
      case 'discarding':
        return this.#discardMore();
      default:
        this.#input.clear();
        return false;
    }
  }

  #beginHead(): void {
    const group = this.#group();
    this.#requestGroup = group;
    const ex = this.#server.takeExchange(this, this, group);
    ex.startedAtMs = turnMs();
    ex.isPipelined = this.#isNextPipelined;
    this.#head.begin(group.defaultServer.settings, this.#isNextPipelined);
    this.#isNextPipelined = false;
    this.#ex = ex;
    this.#writer.reset();
    this.#isEnding = false;
    this.#isContinueSent = false;
    this.#isTimedOut = false;
    this.#isBodyDropped = false;
    this.#state.become('head');
    const { values } = this.#server.counters;
    values[REQUESTS] = (values[REQUESTS] as number) + 1;
    // A whole head in one read, the usual case, needs no deadline; `#readHead` sets it when something is missing.
  }

  #readHead(): boolean {
    const ex = this.#ex as Exchange;
    const head = this.#head;
    const { parser } = head;
    const { isFresh } = head;
    const end = head.take(this.#input, ex.request);
    if (end < 0) {
      if (parser.refusal !== null) return this.#refuse(parser.refusal);
      if (isFresh || this.deadlineAtMs === Number.POSITIVE_INFINITY) {
        const { settings } = (this.#requestGroup as ServerGroup).defaultServer;
        this.#deadlineIn(settings.clientHeaderTimeoutMs);
      }
      return this.#input.length > 0;
    }

    // Whole: the rest of the input belongs to the body or to the next request.
    this.#server.deadlines.clear(this);
    ex.requestBytes = end - ex.request.lineStart;
    this.requests++;
    this.#state.become('busy');
    if (ex.request.framing !== 'none') {
      this.#body ??= new RequestBodyReader();
      this.#body.begin(ex.request);
    } else this.#body = null;
    if (parser.dropped.length > 0) this.#logDropped(ex);
    beginExchange(ex, this.#requestGroup as ServerGroup);
    return true;
  }

  /** A head that is not one: answered, then closed. */
  #refuse(refusal: HeadRefusal): false {
    const ex = this.#ex as Exchange;
    const group = this.#requestGroup as ServerGroup;
    this.#server.deadlines.clear(this);
    ex.server = group.defaultServer;
    ex.location = group.defaultServer.defaultLocation;
    if (this.#head.parser.isLineDone) attributeRefused(ex, group);
    else ex.isHeadOnly = asksForHead(ex.request);
    ex.requestBytes = this.#head.parser.lineBytes(ex.request);
    ex.keepAlive = false;
    ex.request.framing = 'none';
    this.requests++;
    this.#body = null;
    this.#state.become('busy');
    this.#logDropped(ex);
    ex.location.errorLog.write('info', ex, refusal.reason);
    respondStatus(ex, refusal.status);
    return false;
  }

  /** Field lines left out because of their names (ignore_invalid_headers). */
  #logDropped(ex: Exchange): void {
    for (const line of this.#head.parser.dropped) {
      ex.location.errorLog.write(
        'info',
        ex,
        `client sent invalid header line: "${line}" while reading client request headers`,
      );
    }
  }

  /** A client that went away or fell silent within a head: logged, not answered. */
  #refuseSilently(status: number, reason: string): void {
    const ex = this.#ex as Exchange;
    if (this.#head.parser.isLineDone) attributeRefused(ex, this.#requestGroup as ServerGroup);
    else this.#head.keepPartialLine(ex.request);
    ex.location.errorLog.write('info', ex, `${reason} ${this.#head.parser.doing}`);
    ex.response.status = status;
    ex.requestBytes = this.#head.parser.lineBytes(ex.request);
    ex.keepAlive = false;
    this.requests++;
    this.#state.become('busy');
    this.abort();
  }

  /** FIN or failure while a request is in work. */
  #clientEnded(cause: Error | null = null): void {
    const ex = this.#ex as Exchange;
    const body = this.#body;
    if (this.#isEnding) return;
    if (body?.hasSink && !body.isDone) {
      body.fail(
        new ProxyError('client-aborted', 'client prematurely closed connection', { side: 'client', status: 400 }),
      );
      return;
    }
    const { content } = ex;
    if (content !== null) content.onClientAborted(undefined, cause);
    else if (this.#wire.isDestroyed) this.#finish();
  }

  #busyTooLong(): void {
    const ex = this.#ex as Exchange;
    const body = this.#body;
    this.#isTimedOut = true;
    if (this.#wire.pendingBytes > 0 || this.#isEnding) {
      const reason = `${CLIENT_TIMED_OUT} while sending to client`;
      const { resetTimedoutConnection } = ex.location.core;
      if (this.#isEnding || ex.content === null) ex.location.errorLog.write('info', ex, reason);
      else ex.content.onClientAborted(reason);
      // It was not taken within one send_timeout, so nothing waits for another.
      if (resetTimedoutConnection) this.#wire.reset();
      else this.#wire.destroy();
    } else if (body?.isWanted && !body.isDone) {
      body.fail(
        new ProxyError('client-timeout', 'client timed out while reading client request body', {
          side: 'client',
          status: 408,
        }),
      );
    }
  }

  // --- ClientStream

  get isHeadSent(): boolean {
    return this.#writer.isHeadSent;
  }

  get pendingBytes(): number {
    return this.#wire.pendingBytes;
  }

  sendInformational(status: number, fields: HeaderBlock): void {
    if ((this.#ex?.request.version ?? 0) >= 11) this.#writer.writeInformational(status, fields);
  }

  sendHead(ex: Exchange): void {
    const { core } = ex.location;
    this.#writer.chooseFraming(ex, core);
    // A client that waits for 100 may or may not send its body now: nobody knows what comes next on this connection.
    const isBodyUncertain =
      ex.request.expectContinue && !this.#isContinueSent && this.#body !== null && !this.#body.isDone;
    if (this.#server.isDraining || this.#isFinSeen || isBodyUncertain || this.#writer.isDelimitedByClose)
      ex.keepAlive = false;
    if (this.#body?.isBroken === true) ex.keepAlive = false;
    if (ex.keepAlive) this.#wire.setNoDelay();
    this.#writer.writeHead(ex, core, ex.keepAlive);
  }

  sendBody(chunk: Uint8Array): boolean {
    return this.#writer.writeBody(chunk);
  }

  flush(): boolean {
    this.#writer.flushOut();
    // What only waits for the end of the turn holds nobody up.
    return this.#wire.pendingBytes === (this.#wire.batchedBytes ?? 0);
  }

  endBody(trailers: HeaderBlock | null): void {
    if (this.#isEnding) return;
    if (this.#writer.missingBytes > 0) return this.abort();
    this.#isEnding = true;
    if (this.#ex !== null) this.#ex.isComplete = !this.#wire.isDestroyed;
    this.#writer.writeEnd(trailers);
    if (this.#wire.pendingBytes === 0 || this.#wire.isDestroyed) this.#finish();
  }

  abort(): void {
    if (this.#isEnding) return;
    const ex = this.#ex;
    if (ex === null) return;
    this.#isEnding = true;
    ex.keepAlive = false;
    this.#writer.flushOut();
    this.#finish();
  }

  readBody(sink: BodySink, maxBytes: number): void {
    const body = this.#body;
    if (body === null || body.isDone) {
      sink.onBodyEnd(null);
      return;
    }
    body.deliverTo(sink, maxBytes);
    this.#sayContinue();
    this.#deadlineIn(this.#location().core.clientBodyTimeoutMs);
    this.#resumeReading();
    this.#advance();
  }

  pauseBody(): void {
    this.#body?.pause();
    this.#server.deadlines.clear(this);
    this.#pauseReading();
  }

  resumeBody(): void {
    const body = this.#body;
    if (body === null || body.isWanted) return;
    body.resume();
    if (body.hasSink && !body.isDone) this.#deadlineIn(this.#location().core.clientBodyTimeoutMs);
    this.#resumeReading();
    this.#advance();
  }

  discardBody(saysContinue = false): boolean {
    const body = this.#body;
    if (saysContinue) this.#sayContinue();
    if (body === null) return true;
    this.#isBodyDropped = true;
    // What came with the head is looked at now; what is left is dropped when the response is out (`#finish`).
    // A body that is being delivered may stand in the middle of a chunk: nothing of it is taken here.
    if (body.isUntouched) body.discard(this.#input);
    body.detach();
    return !body.isBroken;
  }

  openTunnel(tunnel: TunnelSink): TunnelEnd {
    this.#writer.flushOut();
    this.#tunnel = tunnel;
    this.#state.become('tunnel');
    this.#server.deadlines.clear(this);
    if (this.#ex !== null) this.#ex.keepAlive = false;
    const wire = this.#wire;
    const end: TunnelEnd = {
      write: (chunk) => this.#writer.writeRaw(chunk),
      pause: () => wire.pause(),
      resume: () => wire.resume(),
      end: () => wire.end(),
      destroy: () => wire.destroy(),
    };
    if (this.#input.length > 0) {
      const early = Buffer.from(this.#input.bytes.subarray(this.#input.start, this.#input.end));
      this.#input.clear();
      // Not before the caller has its end in hand.
      queueMicrotask(() => {
        if (this.#tunnel === tunnel) tunnel.onTunnelData(early);
      });
    }
    if (this.#isReadingPaused) this.#resumeReading();
    if (this.#isFinSeen) queueMicrotask(() => tunnel.onTunnelEnd(null));
    return end;
  }

  // --- the end of an exchange

  /** The only way out of 'busy' and 'tunnel': log, counters, and what becomes of the connection. */
  #finish(): void {
    const ex = this.#ex;
    if (ex === null) return;
    const body = this.#body;
    const wire = this.#wire;
    ex.content = null;
    ex.bytesSent = Math.max(this.#writer.writtenBytes - wire.pendingBytes, 0);
    ex.bodyBytesSent = Math.max(ex.bytesSent - this.#writer.headBytes, 0);
    if (body !== null) ex.requestBytes += body.wireBytes;
    logExchange(ex);
    const { core } = ex.location;
    const isKeepAlive = ex.keepAlive && !this.#isFinSeen && !this.#server.isDraining && !wire.isDestroyed;
    const isBodyLeft = body !== null && !body.isDone;
    // nginx counts its 444 as a timeout.
    const isTimeout = this.#isTimedOut || (ex.response.status === 444 && !this.isHeadSent);
    const isReset = isTimeout && core.resetTimedoutConnection;
    body?.detach();

    // Everything of the exchange goes back; nobody may use it from here on.
    this.#ex = null;
    this.#tunnel = null;
    this.#isEnding = false;
    this.#head.giveBack();
    this.#server.giveExchangeBack(ex);

    if (wire.isDestroyed) {
      this.#state.become('closed');
      return;
    }
    if (isReset) {
      this.#reset();
      return;
    }
    this.#lingering.core = core;
    if (isKeepAlive && body?.isBroken !== true) {
      this.#idleMs = core.keepaliveTimeoutMs;
      if (isBodyLeft) {
        this.#state.become('discarding');
        this.#lingering.begin(turnMs());
        this.#lingerOn();
      } else this.#becomeIdle();
      this.#isNextPipelined = this.#input.length > 0;
      this.#resumeReading();
      this.#advance();
      return;
    }
    const isUnread = isBodyLeft || this.#input.length > 0;
    // As in nginx, a body that is being dropped is dropped to its end, whatever lingering_close says.
    const isDropping = isBodyLeft && this.#isBodyDropped;
    if (isDropping || core.lingeringClose === 'always' || (core.lingeringClose === 'on' && isUnread)) this.#linger();
    else this.#close();
  }

  #becomeIdle(): void {
    this.#body = null;
    this.#state.become('idle');
    this.#deadlineIn(this.#idleMs);
  }

  #discardMore(): boolean {
    const body = this.#body as RequestBodyReader;
    body.discard(this.#input);
    if (body.isBroken) {
      this.#close();
      return false;
    }
    if (body.isDone) {
      this.#becomeIdle();
      return true;
    }
    this.#lingerOn();
    return false;
  }

  /** Closes without resetting what the client has not read yet: FIN, then read and drop for a while (lingering_close). */
  #linger(): void {
    this.#server.flushLogs();
    this.#input.clear();
    this.#state.become('lingering');
    this.#wire.end();
    this.#resumeReading();
    this.#lingering.begin(turnMs());
    this.#lingerOn();
  }

  /** Unread bytes came, or may come: how much longer they are worth waiting for. */
  #lingerOn(): void {
    const waitMs = this.#lingering.waitMs(turnMs());
    if (waitMs > 0) this.#deadlineIn(waitMs);
    else this.#close();
  }

  #reset(): void {
    this.#server.flushLogs();
    this.#input.clear();
    this.#state.become('closing');
    this.#server.deadlines.remove(this);
    this.#wire.reset();
  }

  #close(): void {
    if (this.#state.name === 'closed' || this.#state.name === 'closing') return;
    this.#server.flushLogs();
    this.#input.clear();
    const isLingering = this.#state.name === 'lingering';
    this.#state.become('closing');
    if (isLingering || this.#wire.pendingBytes === 0) {
      this.#server.deadlines.remove(this);
      if (isLingering) this.#wire.destroy();
      else this.#wire.endAndClose();
      return;
    }
    // What is queued still goes out, but not for ever.
    this.#deadlineIn(this.#lingering.core?.sendTimeoutMs ?? 0);
    this.#wire.endAndClose();
  }

  // --- small things

  #location(): Location {
    return (this.#ex as Exchange).location;
  }

  /** 0 = no limit. */
  #deadlineIn(ms: number): void {
    if (ms > 0) this.#server.deadlines.set(this, turnMs() + ms);
    else this.#server.deadlines.clear(this);
  }

  /** 100 Continue, once, before the body is read or dropped; as in nginx also when a part of it is there already. */
  #sayContinue(): void {
    const { request } = this.#ex as Exchange;
    if (!request.expectContinue || this.#isContinueSent || this.isHeadSent || request.version < 11) return;
    this.#isContinueSent = true;
    this.#writer.writeInformational(100, null);
  }

  /** The kernel is behind: from now on the client has send_timeout to take it. */
  #watchSending(): void {
    if (this.#state.name === 'busy') this.#deadlineIn(this.#location().core.sendTimeoutMs);
  }

  #pauseIfFull(): void {
    if (this.#input.length >= MAX_PIPELINED_BYTES) this.#pauseReading();
  }

  #pauseReading(): void {
    if (this.#isReadingPaused) return;
    this.#isReadingPaused = true;
    this.#wire.pause();
  }

  #resumeReading(): void {
    if (!this.#isReadingPaused) return;
    this.#isReadingPaused = false;
    this.#wire.resume();
  }
}

/** Whether a line that was refused asks for a head: no body answers it, as in nginx. */
function asksForHead({ headers, lineStart }: RequestHead): boolean {
  return headers.bytes.toString('latin1', lineStart, lineStart + 5) === 'HEAD ';
}
