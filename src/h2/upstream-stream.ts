import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import { Readable } from 'node:stream';
import { turnMs } from '../core/clock.ts';
import type { Deadlined, Deadlines } from '../core/deadlines.ts';
import { ProxyError } from '../core/errors.ts';
import { out } from '../h1/out-buffer.ts';
import type { TunnelEnd } from '../http/client-stream.ts';
import type { HeaderBlock } from '../http/header-block.ts';
import type { UpstreamConnection, UpstreamRequest, UpstreamResponseSink } from '../http/upstream-connection.ts';
import { streamReset } from './upstream-failure.ts';
import { headBytesOf, upstreamRequestHead } from './upstream-request-head.ts';
import { fieldBytes, readResponseHead, readTrailers } from './upstream-response-fields.ts';
import type { H2UpstreamSession } from './upstream-session.ts';

/**
 * ```
 *  new --sendRequest--> head --final head--> body --end--> done --release--> over
 *                          any failure, destroy --> over
 * ```
 */
const STATES = ['new', 'head', 'body', 'done', 'over'] as const;
type State = (typeof STATES)[number];

export interface StreamInit {
  readonly isReused: boolean;
  /** `:authority` of a request that says no Host. */
  readonly authority: string;
  /** Requests on the session so far, this one included. */
  readonly requests: number;
}

/** One request over an H2UpstreamSession: what modules see of it is the same as of an HTTP/1.1 connection. */
export class H2UpstreamStream implements UpstreamConnection, Deadlined {
  readonly isReused: boolean;
  readonly requests: number;
  readonly isOverlong = false;
  bytesReceived = 0;
  bytesSent = 0;
  isRequestSent = false;
  deadlineAtMs = Number.POSITIVE_INFINITY;
  sweepIndex = -1;

  readonly #owner: H2UpstreamSession;
  readonly #session: ClientHttp2Session;
  readonly #deadlines: Deadlines;
  readonly #authority: string;
  #stream: ClientHttp2Stream | null = null;
  #state: State = 'new';
  #sink: UpstreamResponseSink | null = null;
  #isHeadRequest = false;
  #isRequestComplete = false;
  /** Writes that nghttp2 has not sent yet. */
  #pendingWrites = 0;
  #isPaused = false;
  #isPauseDue = false;
  #remaining = -1;
  /** The peer has said that its answer is whole (END_STREAM). */
  #isEnded = false;
  #interimBytes = 0;
  #trailers: HeaderBlock | null = null;
  #error: Error | null = null;
  #maxHeadBytes = 4096;
  #sendTimeoutMs = 0;
  #readTimeoutMs = 0;

  constructor(owner: H2UpstreamSession, session: ClientHttp2Session, deadlines: Deadlines, init: StreamInit) {
    this.#owner = owner;
    this.#session = session;
    this.#deadlines = deadlines;
    this.#authority = init.authority;
    this.isReused = init.isReused;
    this.requests = init.requests;
  }

  setTimeouts(sendTimeoutMs: number, readTimeoutMs: number): void {
    this.#sendTimeoutMs = sendTimeoutMs;
    this.#readTimeoutMs = readTimeoutMs;
  }

  setMaxHeadBytes(bytes: number): void {
    this.#maxHeadBytes = bytes;
  }

  // --- the request

  sendRequest(request: UpstreamRequest, body: Uint8Array | null, isLast: boolean, sink: UpstreamResponseSink): boolean {
    this.#sink = sink;
    this.#state = 'head';
    this.#isHeadRequest = request.method === 'HEAD';
    sink.responseHead.reset();
    const head = upstreamRequestHead(request, this.#owner.scheme, this.#authority);
    const isWhole = isLast && (body === null || body.length === 0);
    try {
      this.#listen(this.#session.request(head, { endStream: isWhole }));
    } catch (error) {
      // The session ended in this very turn, or a field is none for HTTP/2: nothing was sent.
      queueMicrotask(() => this.#refused(error as Error));
      return false;
    }
    this.isRequestSent = true;
    this.bytesSent = headBytesOf(head);
    this.#isRequestComplete = isWhole;
    if (!isWhole && body !== null) return this.sendBody(body, isLast);
    this.#watch();
    return true;
  }

  sendBody(chunk: Uint8Array, isLast: boolean): boolean {
    const stream = this.#stream;
    if (stream === null || this.#state === 'over' || stream.destroyed) return true;
    // The peer wants no more of it (RST_STREAM behind its answer): writing would break what is still to be read.
    if (stream.closed || stream.writableEnded) return true;
    if (isLast) this.#isRequestComplete = true;
    this.bytesSent += chunk.length;
    if (chunk.length > 0) {
      this.#pendingWrites++;
      stream.write(chunk, () => this.#onWritten());
    }
    if (isLast) stream.end();
    this.#watch();
    return this.#pendingWrites === 0;
  }

  #onWritten(): void {
    if (--this.#pendingWrites > 0 || this.#state === 'over') return;
    this.#watch();
    const sink = this.#sink;
    if (this.#stream?.destroyed === true) return;
    out.enterTurn();
    sink?.onRequestWritable();
    out.leaveTurn();
  }

  #refused(error: Error): void {
    if (this.#state === 'over') return;
    const { code = '' } = error as NodeJS.ErrnoException;
    const isSessionOver = code === 'ERR_HTTP2_GOAWAY_SESSION' || code === 'ERR_HTTP2_INVALID_SESSION';
    this.#failWith(isSessionOver ? this.#owner.failure() : ownFailure(error.message));
  }

  // --- the response

  #listen(stream: ClientHttp2Stream): void {
    this.#stream = stream;
    const turn = <A extends unknown[]>(handle: (...args: A) => void) => {
      return (...args: A): void => {
        if (this.#state === 'over') return;
        out.enterTurn();
        handle(...args);
        out.leaveTurn();
      };
    };
    // Node's types do not know of the third argument: the fields as they came, name and value in turn.
    type OnFields = (fields: unknown, flags: number, raw: readonly string[]) => void;
    const onInterim: OnFields = (_fields, _flags, raw) => this.#onInterim(raw);
    const onResponse: OnFields = (_fields, flags, raw) => this.#onResponse(flags, raw);
    const onTrailers: OnFields = (_fields, _flags, raw) => this.#onTrailers(raw);
    // An end that is pushed when the stream is closed already is no END_STREAM, but Node's own: nothing else tells RST_STREAM without an error from an end.
    stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk === null && !stream.closed) this.#isEnded = true;
      return Readable.prototype.push.call(stream, chunk, encoding);
    };
    stream.on(
      'frameError',
      turn((_type: number, code: number) => this.#onUnsent(code)),
    );
    stream.on('headers', turn(onInterim) as () => void);
    stream.on('response', turn(onResponse) as () => void);
    stream.on('trailers', turn(onTrailers) as () => void);
    stream.on(
      'data',
      turn((chunk: Buffer) => this.#onData(chunk)),
    );
    stream.on(
      'end',
      turn(() => this.#onEnd()),
    );
    stream.on('error', (error: Error) => {
      this.#error = error; // 'close' follows
    });
    stream.on(
      'close',
      turn(() => this.#onClose()),
    );
  }

  /** nghttp2 did not send the head: it is too large, or the peer takes no more streams by now. */
  #onUnsent(code: number): void {
    this.isRequestSent = false;
    this.#stream = null; // it never began: the peer must not hear of its end
    const isTooLarge = code === constants.NGHTTP2_FRAME_SIZE_ERROR;
    this.#failWith(
      isTooLarge ? ownFailure('its head is larger than 64 KiB') : streamReset(constants.NGHTTP2_REFUSED_STREAM),
    );
  }

  #onInterim(raw: readonly string[]): void {
    const sink = this.#sink as UpstreamResponseSink;
    if (this.#state !== 'head') return;
    const bytes = fieldBytes(raw);
    this.bytesReceived += bytes;
    this.#interimBytes += bytes;
    if (this.#interimBytes > this.#maxHeadBytes) {
      return this.#fail('response-head-too-large', 'upstream sent too big early hints');
    }
    const head = sink.responseHead;
    const refusal = readResponseHead(head, raw, this.#isHeadRequest, true);
    if (refusal !== '') return this.#fail('invalid-response', refusal);
    sink.onInformational(head);
    head.reset();
    if (this.#state === 'head') this.#watch();
  }

  #onResponse(flags: number, raw: readonly string[]): void {
    const sink = this.#sink as UpstreamResponseSink;
    const bytes = fieldBytes(raw);
    this.bytesReceived += bytes;
    if (bytes > this.#maxHeadBytes) return this.#fail('response-head-too-large', 'upstream sent too big header');
    const head = sink.responseHead;
    const hasBody = (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0;
    const refusal = readResponseHead(head, raw, this.#isHeadRequest, hasBody);
    if (refusal !== '') return this.#fail('invalid-response', refusal);
    head.headBytes = bytes;
    this.#state = 'body';
    this.#remaining = head.framing === 'length' ? head.contentLength : -1;
    this.#watch();
    sink.onResponseHead(head);
    this.#pauseSoon();
  }

  #onData(chunk: Buffer): void {
    if (this.#state !== 'body') return;
    this.bytesReceived += chunk.length;
    if (this.#remaining >= 0) this.#remaining -= chunk.length;
    this.#watch();
    this.#sink?.onResponseData(chunk);
    this.#pauseSoon();
  }

  /** What one read of the socket brought comes in several events: the sink hears of the end of it once. */
  #pauseSoon(): void {
    if (this.#isPauseDue || this.#state !== 'body') return;
    this.#isPauseDue = true;
    setImmediate(() => {
      this.#isPauseDue = false;
      if (this.#state !== 'body') return;
      out.enterTurn();
      this.#sink?.onResponsePause();
      out.leaveTurn();
    });
  }

  #onTrailers(raw: readonly string[]): void {
    const bytes = fieldBytes(raw);
    if (bytes > this.#maxHeadBytes) return this.#fail('invalid-response', 'upstream sent too big trailers');
    this.bytesReceived += bytes;
    this.#trailers = readTrailers(raw);
  }

  #onEnd(): void {
    // Node ends the reading side, too, when the stream or its connection breaks.
    if (this.#state !== 'body' || !this.#isEnded) return; // 'close' follows
    if (this.#remaining > 0) return this.#failWith(this.#owner.failure());
    this.#state = 'done';
    this.#deadlines.remove(this);
    this.#sink?.onResponseEnd(this.#trailers);
  }

  #onClose(): void {
    if (this.#state !== 'head' && this.#state !== 'body') return;
    const { rstCode = constants.NGHTTP2_NO_ERROR, id = 0 } = this.#stream as ClientHttp2Stream;
    // RFC 9113 section 8.7: the peer has done nothing with it, so even a POST may be repeated.
    const isRefused = rstCode === constants.NGHTTP2_REFUSED_STREAM;
    if (isRefused || this.#owner.isUnprocessed(id)) this.isRequestSent = false;
    const isReset = !this.#session.destroyed && rstCode !== constants.NGHTTP2_NO_ERROR;
    if (isReset) this.#owner.onReset(rstCode);
    this.#failWith(isRefused || isReset ? streamReset(rstCode) : this.#owner.failure(this.#error));
  }

  pauseResponse(): void {
    if (this.#isPaused || this.#state === 'over') return;
    this.#isPaused = true;
    this.#stream?.pause();
    this.#watch();
  }

  resumeResponse(): void {
    if (!this.#isPaused || this.#state === 'over') return;
    this.#isPaused = false;
    this.#watch();
    this.#stream?.resume();
  }

  /** Node reads into memory that is used once. */
  detachResponse(): boolean {
    return true;
  }

  openTunnel(): TunnelEnd {
    throw new Error('HTTP/2 knows no 101');
  }

  // --- the end

  get isReusable(): boolean {
    return this.#state === 'done';
  }

  release(): void {
    this.#leave();
  }

  destroy(): void {
    this.#leave();
  }

  /** Ends the lease; a stream that is not through is cancelled, the session goes on. */
  #leave(): void {
    if (this.#state === 'over') return;
    const isThrough = this.#state === 'done' && this.#isRequestComplete && this.#pendingWrites === 0;
    this.#state = 'over';
    this.#sink = null;
    this.#deadlines.remove(this);
    const stream = this.#stream;
    if (!isThrough && stream !== null && !stream.destroyed) {
      stream.close(constants.NGHTTP2_CANCEL);
      this.#owner.onCancelled();
      stream.resume(); // what lies unread would keep it from closing
    }
    this.#owner.ended();
  }

  #fail(code: ProxyError['code'], text: string): void {
    const isTimeout = code === 'send-timeout' || code === 'read-timeout';
    this.#failWith(new ProxyError(code, text, { side: 'upstream', status: isTimeout ? 504 : 502, retry: 'yes' }));
  }

  #failWith(error: ProxyError): void {
    const sink = this.#sink;
    this.#leave();
    sink?.onUpstreamError(error);
  }

  onDeadline(): void {
    out.enterTurn();
    const isSending = this.#pendingWrites > 0;
    this.#fail(isSending ? 'send-timeout' : 'read-timeout', 'upstream timed out (110: Connection timed out)');
    out.leaveTurn();
  }

  /** The deadline of what is awaited now: room to send, or the response. */
  #watch(): void {
    let ms = 0;
    if (this.#pendingWrites > 0) ms = this.#sendTimeoutMs;
    else if (!this.#isPaused && this.#isRequestComplete) ms = this.#readTimeoutMs;
    if (ms > 0 && (this.#state === 'head' || this.#state === 'body')) this.#deadlines.set(this, turnMs() + ms);
    else this.#deadlines.clear(this);
  }
}

/** Not the peer's fault, and no other would do better. */
function ownFailure(why: string): ProxyError {
  return new ProxyError('internal', `request cannot be sent by HTTP/2: ${why}`, { side: 'proxy', status: 500 });
}
