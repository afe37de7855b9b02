import { constants, type ServerHttp2Stream } from 'node:http2';
import { turnMs } from '../core/clock.ts';
import type { Deadlined } from '../core/deadlines.ts';
import { ProxyError } from '../core/errors.ts';
import type { HeadRefusal } from '../h1/head-refusal.ts';
import { out } from '../h1/out-buffer.ts';
import type { BodySink, ClientConnection, ClientStream, TunnelEnd } from '../http/client-stream.ts';
import { respondStatus } from '../http/error-response.ts';
import type { Exchange } from '../http/exchange.ts';
import type { HeaderBlock } from '../http/header-block.ts';
import type { ServerGroup } from '../http/location.ts';
import { attributeRefused, beginExchange, logExchange } from '../http/phases.ts';
import type { ProxyProtocol } from '../http/proxy-protocol.ts';
import type { ClientTls } from '../http/tls.ts';
import type { H2Connection } from './h2-connection.ts';
import { RequestBodyInput } from './request-body-input.ts';
import { readRequestHead } from './request-fields.ts';
import { fieldsByName, responseFields } from './response-fields.ts';

const { NGHTTP2_NO_ERROR, NGHTTP2_CANCEL, NGHTTP2_PROTOCOL_ERROR, NGHTTP2_INTERNAL_ERROR } = constants;
const SEND_TIMED_OUT = 'client timed out (110: Connection timed out) while sending to client';

/** With so much waiting for the client's window or its socket, whoever fills the stream waits. */
const MAX_PENDING_BYTES = 128 * 1024;
/** Header of a frame, and the most that DATA frames carry unless the client allows more: for `$bytes_sent`. */
const FRAME_BYTES = 9;
const DATA_FRAME_BYTES = 16_384;
/** So long a reset may take to be sent where there is no send_timeout. */
const LONGEST_RESET_MS = 60_000;
/** node:http2 sends none above. */
const MAX_STATUS = 599;

const ignoreError = (): void => undefined; // the close event follows, and tells the same

/**
 * One request of an HTTP/2 connection and its response: an exchange's stream over a stream of node:http2.
 *
 * Invariants: every way out goes through `#finish`, once, behind the stream's close event or when the client is gone. What is given to
 * node:http2 is a copy: it may hold on to bytes after the stream has ended, when a peer's buffer serves others.
 */
export class H2Stream implements ClientStream, ClientConnection, Deadlined {
  /** Of its connection, when this one began. */
  requests: number;
  deadlineAtMs = Number.POSITIVE_INFINITY;
  sweepIndex = -1;
  readonly #connection: H2Connection;
  readonly #node: ServerHttp2Stream;
  readonly #group: ServerGroup;
  #ex: Exchange | null;
  #storage: Buffer | null = null;
  #body: RequestBodyInput | null = null;
  /** The head that waits for the first bytes behind it. */
  #heldHead: string[] | null = null;
  #mayHaveTrailers = false;
  #trailers: HeaderBlock | null = null;
  #dropsBody = false;
  /** Bytes that Content-Length said and that were not given yet; -1 = it said nothing. */
  #remaining = -1;
  #headSentBytes = 0;
  #bodySentBytes = 0;
  #isHeadSent = false;
  #isEnding = false;
  /** We have reset it. */
  #isGivenUp = false;
  /** Somebody waits for `onWritable`. */
  #isBlocked = false;
  #hasDrainListener = false;
  #pendingSeen = 0;

  constructor(connection: H2Connection, node: ServerHttp2Stream, group: ServerGroup) {
    this.#connection = connection;
    this.#node = node;
    this.#group = group;
    this.requests = connection.requests;
    this.#ex = connection.server.takeExchange(this, this, group);
    node.on('error', ignoreError);
    node.on('close', () => this.#onClose());
  }

  // --- ClientConnection: as nginx, each stream has its own number of requests

  get id(): number {
    return this.#connection.id;
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  get remotePort(): number {
    return this.#connection.remotePort;
  }

  get localAddress(): string {
    return this.#connection.localAddress;
  }

  get localPort(): number {
    return this.#connection.localPort;
  }

  get unixPath(): string {
    return this.#connection.unixPath;
  }

  get isTls(): boolean {
    return this.#connection.isTls;
  }

  get tls(): ClientTls | null {
    return this.#connection.tls;
  }

  get proxyProtocol(): ProxyProtocol | null {
    return this.#connection.proxyProtocol;
  }

  get acceptedAtMs(): number {
    return this.#connection.acceptedAtMs;
  }

  // --- the request

  /** Bytes of the request's head, decompressed. */
  headBytes = 0;

  /** The request's fields, names and values in turn. `isEnd`: no body follows. */
  begin(raw: readonly string[], isEnd: boolean): void {
    const ex = this.#ex as Exchange;
    const { server } = this.#connection;
    const { settings } = this.#group.defaultServer;
    ex.startedAtMs = turnMs();
    const dropped: string[] = [];
    const refusal = readRequestHead(
      {
        raw,
        isEnd,
        settings,
        storage: (bytes) => (this.#storage = server.takeHeadStorage(bytes)),
        onDropped: (name) => dropped.push(name),
      },
      ex.request,
    );
    this.headBytes = ex.request.headBytes;
    ex.requestBytes = this.headBytes;
    if (!isEnd) this.#body = new RequestBodyInput(this.#node, ex.request.contentLength, this);
    if (refusal !== null || dropped.length > 0) this.#logHead(ex, refusal, dropped);
    if (refusal === null) {
      beginExchange(ex, this.#group);
      return;
    }
    ex.isHeadOnly = ex.request.method === 'HEAD';
    respondStatus(ex, refusal.status);
  }

  /** As in nginx there is no request line before all fields are known to be good. */
  #logHead(ex: Exchange, refusal: HeadRefusal | null, dropped: readonly string[]): void {
    const { request } = ex;
    const { lineEnd } = request;
    ex.server = this.#group.defaultServer;
    ex.location = ex.server.defaultLocation;
    if (refusal !== null) attributeRefused(ex, this.#group);
    request.lineEnd = request.lineStart;
    for (const name of dropped) {
      ex.location.errorLog.write(
        'info',
        ex,
        `client sent invalid header: "${name}" while reading client request headers`,
      );
    }
    if (refusal === null) request.lineEnd = lineEnd;
    else ex.location.errorLog.write('info', ex, refusal.reason);
  }

  // --- ClientStream: the response

  get isHeadSent(): boolean {
    return this.#isHeadSent;
  }

  get pendingBytes(): number {
    return this.#node.destroyed ? 0 : this.#node.writableLength;
  }

  sendInformational(status: number, fields: HeaderBlock): void {
    const node = this.#node;
    if (node.destroyed || node.closed || node.headersSent) return;
    node.additionalHeaders({ ...fieldsByName(fields), ':status': status });
  }

  sendHead(ex: Exchange): void {
    const { response } = ex;
    this.#isHeadSent = true;
    this.#dropsBody = ex.isHeadOnly;
    this.#remaining = ex.isHeadOnly ? -1 : response.contentLength;
    // Only a response of unknown length ends in trailers: those of chunked ones, and those that a filter adds.
    this.#mayHaveTrailers = !ex.isHeadOnly && response.contentLength < 0;
    if (response.status > MAX_STATUS) {
      ex.location.errorLog.write('error', ex, `status ${response.status} cannot be sent by HTTP/2, 502 is sent`);
      response.status = 502;
    }
    // RFC 9110 section 15.3.6: no content, and node:http2 sends none.
    if (response.status === 205) {
      this.#dropsBody = true;
      this.#remaining = -1;
      response.contentLength = -1;
    }
    this.#heldHead = responseFields(response, ex.location.core);
  }

  sendBody(chunk: Uint8Array): boolean {
    const node = this.#node;
    if (this.#dropsBody || chunk.length === 0) return true;
    let body = chunk;
    if (this.#remaining >= 0) {
      if (body.length > this.#remaining) body = body.subarray(0, this.#remaining);
      this.#remaining -= body.length;
      if (body.length === 0) return true;
    }
    if (node.destroyed || node.closed) return true;
    this.#sendHeldHead(false);
    // A status without content (205), or it has just ended.
    if (node.writableEnded) return true;
    this.#bodySentBytes += body.length;
    if (node.write(Buffer.from(body)) || node.writableLength < MAX_PENDING_BYTES) return true;
    this.#block();
    return false;
  }

  flush(): boolean {
    this.#sendHeldHead(false);
    return this.pendingBytes === 0 || !this.#isBlocked;
  }

  endBody(trailers: HeaderBlock | null): void {
    const ex = this.#ex;
    if (this.#isEnding || ex === null) return;
    if (this.#remaining > 0) return this.abort();
    const node = this.#node;
    this.#isEnding = true;
    this.#body?.drop();
    if (node.destroyed) return this.#finish();
    this.#trailers = trailers;
    if (this.#heldHead !== null) this.#sendHeldHead(trailers === null);
    if (!node.writableEnded) node.end();
    ex.isComplete = !node.destroyed;
    // The client may stop sending what nobody reads (RFC 9113 section 8.1).
    if (this.#body?.isDone === false) node.close(NGHTTP2_NO_ERROR);
    this.#watchSending();
  }

  abort(): void {
    const ex = this.#ex;
    if (this.#isEnding || ex === null) return;
    const node = this.#node;
    this.#isEnding = true;
    this.#body?.drop();
    ex.keepAlive = false;
    if (node.destroyed || node.closed) return this.#finish();
    const hasTimedOut = this.#isGivenUp;
    this.#isGivenUp = true;
    this.#sendHeldHead(false);
    // As nginx: what timed out, 408 and 444 among it, is the client's doing.
    const isTimeout = hasTimedOut || (!this.#isHeadSent && (ex.response.status === 408 || ex.response.status === 444));
    this.#reset(isTimeout ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_INTERNAL_ERROR);
  }

  #sendHeldHead(isEnd: boolean): void {
    const head = this.#heldHead;
    const node = this.#node;
    if (head === null) return;
    this.#heldHead = null;
    if (node.destroyed || node.closed) return;
    for (const text of head) this.#headSentBytes += text.length;
    const waitForTrailers = !isEnd && this.#mayHaveTrailers;
    if (waitForTrailers) node.on('wantTrailers', () => this.#sendTrailers());
    node.respond(head as unknown as Record<string, string>, { endStream: isEnd || this.#dropsBody, waitForTrailers });
  }

  #sendTrailers(): void {
    const node = this.#node;
    if (node.destroyed || node.closed) return;
    node.sendTrailers(this.#trailers === null ? {} : fieldsByName(this.#trailers));
  }

  // --- ClientStream: the request's body

  readBody(sink: BodySink, maxBytes: number): void {
    if (this.#body === null) {
      sink.onBodyEnd(null);
      return;
    }
    this.watchBody();
    this.#body.deliverTo(sink, maxBytes);
  }

  pauseBody(): void {
    this.#clearDeadline();
    this.#body?.pause();
  }

  resumeBody(): void {
    if (this.#body === null || this.#body.isDone) return;
    this.watchBody();
    this.#body.resume();
  }

  discardBody(): boolean {
    this.#body?.drop();
    return true;
  }

  openTunnel(): TunnelEnd {
    // No request of HTTP/2 asks for an upgrade, so no answer is a 101.
    throw new Error('HTTP/2 has no tunnels');
  }

  /** From the body: more is awaited, or no more is. */
  watchBody(): void {
    const ex = this.#ex;
    if (ex !== null) this.#deadlineIn(ex.location.core.clientBodyTimeoutMs);
  }

  unwatchBody(): void {
    this.#clearDeadline();
  }

  onBodyBytes(bytes: number): void {
    this.#connection.onMessageBytes(bytes);
  }

  // --- what happens

  #block(): void {
    this.#isBlocked = true;
    if (!this.#hasDrainListener) {
      this.#hasDrainListener = true;
      this.#node.on('drain', () => this.#onDrain());
    }
    this.#watchSending();
  }

  #onDrain(): void {
    if (!this.#isBlocked) return;
    out.enterTurn();
    this.#isBlocked = false;
    this.#clearDeadline();
    if (!this.#isEnding) this.#ex?.onWritable();
    out.leaveTurn();
  }

  #onClose(): void {
    if (this.#ex === null) return;
    out.enterTurn();
    if (this.#isEnding) this.#finish();
    else this.#clientEnded();
    out.leaveTurn();
  }

  /** The client has reset the stream, or its connection is gone. */
  #clientEnded(): void {
    const ex = this.#ex as Exchange;
    const { content } = ex;
    this.#isBlocked = false;
    if (this.#body?.isWaitedFor === true) {
      this.#body.fail(
        new ProxyError('client-aborted', 'client prematurely closed connection', { side: 'client', status: 400 }),
      );
    } else if (content !== null) content.onClientAborted(this.#resetReason());
    else this.#finish();
  }

  /** nginx's words; undefined: it is the connection that is gone. */
  #resetReason(): string | undefined {
    const { id, rstCode, aborted } = this.#node;
    if (!aborted || rstCode === NGHTTP2_NO_ERROR) return undefined;
    if (rstCode === NGHTTP2_CANCEL) return `client canceled stream ${id}`;
    if (rstCode === NGHTTP2_INTERNAL_ERROR) return `client terminated stream ${id} due to internal error`;
    return `client terminated stream ${id} with status ${rstCode}`;
  }

  /** From the body: it was reset although nobody closes the stream yet. */
  bodyBroken(): void {
    if (!this.#isEnding && this.#ex !== null) this.#clientEnded();
  }

  onDeadline(): void {
    const ex = this.#ex;
    if (ex === null) return;
    out.enterTurn();
    if (this.#isBlocked || this.#isEnding) this.#sendTimedOut(ex);
    else {
      this.#body?.fail(
        new ProxyError('client-timeout', 'client timed out while reading client request body', {
          side: 'client',
          status: 408,
        }),
      );
    }
    out.leaveTurn();
  }

  #sendTimedOut(ex: Exchange): void {
    // Something went since the deadline was set: the client is slow, not silent.
    if (this.pendingBytes < this.#pendingSeen) return this.#watchSending();
    // Trap: where nghttp2 has given up a connection nothing is read or written any more, and no close event comes by itself.
    if (this.#isGivenUp) {
      this.#node.destroy();
      return;
    }
    this.#isBlocked = false;
    this.#isGivenUp = true;
    if (this.#isEnding || ex.content === null) ex.location.errorLog.write('info', ex, SEND_TIMED_OUT);
    else ex.content.onClientAborted(SEND_TIMED_OUT);
    if (!this.#node.destroyed) this.#reset(NGHTTP2_PROTOCOL_ERROR);
  }

  /** Trap: `close` ends the writable side first, and END_STREAM would go out before the reset, as if the response was whole. */
  #reset(code: number): void {
    const node = this.#node;
    node.end = () => node;
    node.close(code);
    this.#pendingSeen = this.pendingBytes;
    this.#deadlineIn(this.#ex?.location.core.sendTimeoutMs || LONGEST_RESET_MS);
  }

  // --- the end

  /** The only way out: log, counters, and everything goes back. */
  #finish(): void {
    const ex = this.#ex;
    if (ex === null) return;
    const node = this.#node;
    const connection = this.#connection;
    const { server } = connection;
    const isReset = node.rstCode !== NGHTTP2_NO_ERROR && !this.#isGivenUp;
    if (isReset) ex.isComplete = false;
    ex.content = null;
    const frames = Math.ceil(this.#bodySentBytes / DATA_FRAME_BYTES) + (this.#isHeadSent ? 1 : 0);
    ex.bodyBytesSent = Math.max(this.#bodySentBytes - this.pendingBytes, 0);
    ex.bytesSent = ex.bodyBytesSent + this.#headSentBytes + frames * FRAME_BYTES;
    ex.requestBytes += this.#body?.receivedBytes ?? 0;
    logExchange(ex);
    this.#body?.drop();
    this.#ex = null;
    this.#heldHead = null;
    server.deadlines.remove(this);
    if (this.#storage !== null) server.giveHeadStorageBack(this.#storage);
    this.#storage = null;
    server.giveExchangeBack(ex);
    connection.streamEnded(this.#bodySentBytes, isReset);
  }

  #watchSending(): void {
    this.#pendingSeen = this.pendingBytes;
    const ex = this.#ex;
    if (ex !== null) this.#deadlineIn(ex.location.core.sendTimeoutMs);
  }

  /** 0 = no limit. */
  #deadlineIn(ms: number): void {
    const { deadlines } = this.#connection.server;
    if (ms > 0) deadlines.set(this, turnMs() + ms);
    else deadlines.clear(this);
  }

  #clearDeadline(): void {
    if (this.sweepIndex >= 0) this.#connection.server.deadlines.clear(this);
  }
}
