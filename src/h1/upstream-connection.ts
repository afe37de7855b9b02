import { turnMs } from '../core/clock.ts';
import type { Deadlined, Deadlines } from '../core/deadlines.ts';
import { ProxyError, type RetrySafety } from '../core/errors.ts';
import { strerror } from '../core/strerror.ts';
import type { TunnelEnd, TunnelSink } from '../http/client-stream.ts';
import type { UpstreamConnection, UpstreamRequest, UpstreamResponseSink } from '../http/upstream-connection.ts';
import type { UpstreamResponseHead } from '../http/upstream-response-head.ts';
import { NO_SINK, type Wire, type WireSink } from '../net/wire.ts';
import { CHUNK_ERROR, ChunkedDecoder } from './chunked-decoder.ts';
import { BAD_FIELD, INCOMPLETE } from './field-lines.ts';
import { out } from './out-buffer.ts';
import { RequestSender } from './request-sender.ts';
import { ResponseHeadParser } from './response-head-parser.ts';

/**
 * ```
 *  idle --sendRequest--> head --final head--> body --end--> done --release--> idle (pool)
 *                          \ 101 --> tunnel        any failure --> closed
 * ```
 */
export const UPSTREAM_STATES = ['idle', 'head', 'body', 'done', 'tunnel', 'closed'] as const;
export type UpstreamState = (typeof UPSTREAM_STATES)[number];

/** Where a connection goes when its lease ends, and who hears that an idle one died. */
export interface ConnectionHome {
  /** True: kept for another request. */
  keep(connection: H1UpstreamConnection): boolean;
  /** An idle connection ended, or sent bytes that nobody asked for: it is destroyed already. */
  lost(connection: H1UpstreamConnection): void;
}

/**
 * One connection to a peer, speaking HTTP/1.1: one request at a time, its response delivered to a sink.
 *
 * Invariant (poisoning): bytes that arrive when no response is due, or behind a response's end, make the connection unfit for another
 * request. Only a response whose framing was sound to its end leads back to the pool.
 */
export class H1UpstreamConnection implements UpstreamConnection, WireSink, Deadlined {
  isReused = false;
  requests = 0;
  bytesReceived = 0;
  isRequestSent = false;
  isOverlong = false;
  deadlineAtMs = Number.POSITIVE_INFINITY;
  sweepIndex = -1;
  readonly openedAtMs: number;

  readonly #wire: Wire;
  readonly #home: ConnectionHome;
  readonly #deadlines: Deadlines;
  readonly #sender: RequestSender;
  readonly #parser = new ResponseHeadParser();
  #decoder: ChunkedDecoder | null = null;
  #state: UpstreamState = 'idle';
  #sink: UpstreamResponseSink | null = null;
  #tunnel: TunnelSink | null = null;
  #isHeadRequest = false;
  #isSound = true;
  #isPaused = false;
  #isInRead = false;
  #isFinSeen = false;
  #remaining = 0;
  #maxHeadBytes = 4096;
  /** Of this response's interim (1xx) heads, all together: they share one head's limit, so that they can't go on for ever. */
  #interimBytes = 0;
  #sendTimeoutMs = 0;
  #readTimeoutMs = 0;
  // What is left of the read at hand when the sink paused in the middle of it; the wire is paused, so the buffer stays as it is.
  #rest: Buffer | null = null;
  #restStart = 0;
  #restEnd = 0;
  readonly #onChunk = (view: Buffer): boolean => {
    this.#sink?.onResponseData(view);
    return !this.#isPaused && this.#state === 'body';
  };

  constructor(wire: Wire, home: ConnectionHome, deadlines: Deadlines) {
    this.#wire = wire;
    this.#home = home;
    this.#deadlines = deadlines;
    this.#sender = new RequestSender(wire);
    this.openedAtMs = turnMs();
    wire.sink = this;
  }

  // --- UpstreamConnection

  setTimeouts(sendTimeoutMs: number, readTimeoutMs: number): void {
    this.#sendTimeoutMs = sendTimeoutMs;
    this.#readTimeoutMs = readTimeoutMs;
  }

  setMaxHeadBytes(bytes: number): void {
    this.#maxHeadBytes = bytes;
  }

  sendRequest(request: UpstreamRequest, body: Uint8Array | null, isLast: boolean, sink: UpstreamResponseSink): boolean {
    this.requests++;
    this.bytesReceived = 0;
    this.#sink = sink;
    this.#state = 'head';
    this.#isHeadRequest = request.method === 'HEAD';
    this.#isSound = true;
    this.isOverlong = false;
    this.#isPaused = false;
    this.#rest = null;
    this.#parser.reset();
    this.#interimBytes = 0;
    sink.responseHead.reset();

    const isTaken = this.#sender.send(request, body, isLast);
    this.isRequestSent = true;
    this.#watch();
    return isTaken;
  }

  sendBody(chunk: Uint8Array, isLast: boolean): boolean {
    if (this.#state === 'closed') return true;
    const isTaken = this.#sender.sendBody(chunk, isLast);
    this.#watch();
    return isTaken;
  }

  get bytesSent(): number {
    return this.#sender.bytesSent;
  }

  pauseResponse(): void {
    if (this.#isPaused || this.#state === 'closed') return;
    this.#isPaused = true;
    this.#wire.pause();
    this.#watch();
  }

  resumeResponse(): void {
    if (!this.#isPaused || this.#state === 'closed') return;
    this.#isPaused = false;
    this.#watch();
    const rest = this.#rest;
    if (rest !== null) {
      this.#rest = null;
      out.enterTurn();
      this.#readBody(rest, this.#restStart, this.#restEnd);
      out.leaveTurn();
      // It paused again, or ended.
      if (this.#isPaused || this.#wire.isDestroyed) return;
    }
    this.#wire.resume();
    if (this.#isFinSeen && this.#state === 'body') this.onFin();
  }

  detachResponse(): boolean {
    // Outside of the wire's own read (what was left when the sink paused) there is no buffer to exchange.
    return this.#isInRead && this.#wire.detachBuffer();
  }

  openTunnel(tunnel: TunnelSink): TunnelEnd {
    this.#tunnel = tunnel;
    this.#state = 'tunnel';
    this.#sink = null;
    this.#deadlines.remove(this);
    const wire = this.#wire;
    return {
      write: (chunk) => this.#sender.sendRaw(chunk),
      pause: () => wire.pause(),
      resume: () => wire.resume(),
      end: () => wire.end(),
      destroy: () => this.destroy(),
    };
  }

  get isReusable(): boolean {
    return (
      this.#state === 'done' &&
      this.#isSound &&
      this.#sender.isComplete &&
      !this.#sender.isWaiting &&
      !this.#isFinSeen &&
      this.#rest === null &&
      !this.#wire.isDestroyed
    );
  }

  release(): void {
    if (this.#state === 'closed') return;
    this.#deadlines.remove(this);
    this.#sink = null;
    if (this.isReusable) {
      if (this.#isPaused) {
        this.#isPaused = false;
        this.#wire.resume();
      }
      this.#state = 'idle';
      if (this.#home.keep(this)) return;
    }
    this.destroy();
  }

  destroy(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#sink = null;
    this.#tunnel = null;
    this.#rest = null;
    this.#deadlines.remove(this);
    this.#sender.drop();
    this.#wire.sink = NO_SINK;
    this.#wire.destroy();
  }

  /** Taken out of the pool for another request. */
  lease(): void {
    this.isReused = true;
    this.isRequestSent = false;
    this.#deadlines.clear(this);
  }

  get isAlive(): boolean {
    return this.#state === 'idle' && !this.#wire.isDestroyed;
  }

  // --- from the wire

  onBytes(buffer: Buffer, length: number): void {
    out.enterTurn();
    switch (this.#state) {
      case 'head':
        this.bytesReceived += length;
        this.#isInRead = true;
        this.#readHead(buffer, 0, length);
        this.#isInRead = false;
        break;
      case 'body':
        this.bytesReceived += length;
        this.#isInRead = true;
        this.#readBody(buffer, 0, length);
        this.#isInRead = false;
        break;
      case 'tunnel':
        this.bytesReceived += length;
        this.#tunnel?.onTunnelData(buffer.subarray(0, length));
        break;
      case 'done':
        this.#isSound = false;
        break;
      case 'idle':
        this.#lose();
        break;
    }
    out.leaveTurn();
  }

  onFin(): void {
    this.#isFinSeen = true;
    out.enterTurn();
    switch (this.#state) {
      case 'idle':
        this.#lose();
        break;
      case 'head':
        this.#fail('premature-close', 'upstream prematurely closed connection', this.#beforeFirstByte());
        break;
      case 'body':
        if (this.#isPaused) break;
        if (this.#sink?.responseHead.framing === 'until-close') this.#endResponse();
        else this.#fail('premature-close', 'upstream prematurely closed connection', 'no');
        break;
      case 'tunnel':
        this.#tunnel?.onTunnelEnd(null);
        break;
    }
    out.leaveTurn();
  }

  onDrain(): void {
    out.enterTurn();
    if (this.#state === 'tunnel') this.#tunnel?.onTunnelWritable();
    else if (this.#sender.isWaiting) {
      this.#sender.isWaiting = false;
      this.#watch();
      this.#sink?.onRequestWritable();
    }
    out.leaveTurn();
  }

  onClose(error: Error | null): void {
    out.enterTurn();
    const state = this.#state;
    if (state === 'idle') this.#lose();
    else if (state === 'tunnel') {
      const tunnel = this.#tunnel;
      this.destroy();
      tunnel?.onTunnelEnd(this.#brokenWire(error, 'no'));
    } else if (state === 'head' || state === 'body') {
      const failure = this.#brokenWire(error, state === 'head' ? this.#beforeFirstByte() : 'no');
      this.#failWith(failure);
    } else if (state === 'done') {
      this.#isSound = false;
    }
    out.leaveTurn();
  }

  onDeadline(): void {
    out.enterTurn();
    if (this.#state === 'idle') this.#lose();
    else if (this.#sender.isWaiting)
      this.#fail('send-timeout', 'upstream timed out (110: Connection timed out)', 'yes');
    else this.#fail('read-timeout', 'upstream timed out (110: Connection timed out)', 'yes');
    out.leaveTurn();
  }

  /** The deadline of what is awaited now: room to send, or the response. */
  #watch(): void {
    let ms = 0;
    if (this.#sender.isWaiting) ms = this.#sendTimeoutMs;
    else if (!this.#isPaused && this.#sender.isComplete) ms = this.#readTimeoutMs;
    if (ms > 0 && (this.#state === 'head' || this.#state === 'body')) this.#deadlines.set(this, turnMs() + ms);
    else this.#deadlines.clear(this);
  }

  // --- the response

  #readHead(buffer: Buffer, start: number, end: number): void {
    let from = start;
    while (this.#state === 'head') {
      const sink = this.#sink as UpstreamResponseSink;
      const head = sink.responseHead;
      const before = head.stored;
      const taken = Math.min(end - from, this.#maxHeadBytes - before);
      head.reserve(before + taken);
      buffer.copy(head.storage, before, from, from + taken);
      head.stored = before + taken;
      const headEnd = this.#parser.parse(head, this.#isHeadRequest);
      if (headEnd === BAD_FIELD) return this.#fail('invalid-response', this.#parser.refusal, 'yes');
      if (headEnd === INCOMPLETE) {
        if (head.stored >= this.#maxHeadBytes) {
          return this.#fail('response-head-too-large', 'upstream sent too big header', 'yes');
        }
        this.#watch();
        return;
      }
      from += headEnd - before;
      if (head.status < 200 && head.status !== 101) {
        this.#interimBytes += headEnd;
        if (this.#interimBytes > this.#maxHeadBytes) {
          return this.#fail('response-head-too-large', 'upstream sent too big early hints', 'yes');
        }
        sink.onInformational(head);
        head.reset();
        this.#parser.reset();
        if (from < end) continue;
        if (this.#state === 'head') this.#watch();
        return;
      }
      this.#beginBody(head, buffer, from, end);
      return;
    }
  }

  #beginBody(head: UpstreamResponseHead, buffer: Buffer, start: number, end: number): void {
    const sink = this.#sink as UpstreamResponseSink;
    this.#isSound = head.keepAlive;
    this.#state = 'body';
    this.#remaining = head.framing === 'length' ? head.contentLength : 0;
    if (head.framing === 'chunked') {
      this.#decoder ??= new ChunkedDecoder();
      this.#decoder.reset();
    }
    sink.onResponseHead(head);
    // The sink may have opened a tunnel (101), destroyed the connection, or paused.
    if (this.#tunnel !== null) {
      if (start < end) this.#tunnel.onTunnelData(buffer.subarray(start, end));
      return;
    }
    this.#readBody(buffer, start, end);
  }

  #readBody(buffer: Buffer, start: number, end: number): void {
    if (this.#state !== 'body') return;
    const sink = this.#sink as UpstreamResponseSink;
    const { framing } = sink.responseHead;
    if (this.#isPaused && start < end) {
      this.#rest = buffer;
      this.#restStart = start;
      this.#restEnd = end;
      return;
    }
    if (framing === 'chunked') return this.#readChunked(buffer, start, end, sink);
    if (framing === 'until-close') {
      if (start < end) sink.onResponseData(buffer.subarray(start, end));
    } else {
      const taken = Math.min(this.#remaining, end - start);
      if (end - start > taken) {
        this.#isSound = false;
        this.isOverlong = !this.#isHeadRequest;
      }
      this.#remaining -= taken;
      if (taken > 0) sink.onResponseData(buffer.subarray(start, start + taken));
      if (this.#state === 'body' && this.#remaining === 0) {
        if (!this.#isPaused) return this.#endResponse();
        // The sink still uses the last view: the end waits for `resumeResponse`.
        this.#rest = buffer;
        this.#restStart = end;
        this.#restEnd = end;
        return;
      }
    }
    this.#pauseSink(sink);
  }

  #readChunked(buffer: Buffer, start: number, end: number, sink: UpstreamResponseSink): void {
    const decoder = this.#decoder as ChunkedDecoder;
    const stop = decoder.decode(buffer, start, end, this.#onChunk);
    if (this.#state !== 'body') return;
    if (stop === CHUNK_ERROR) return this.#fail('invalid-response', 'upstream sent invalid chunked response', 'no');
    if (decoder.isDone) {
      if (stop < end) this.#isSound = false;
      return this.#endResponse();
    }
    if (stop < end) {
      this.#rest = buffer;
      this.#restStart = stop;
      this.#restEnd = end;
    }
    this.#pauseSink(sink);
  }

  /** This read is used up and more is due. */
  #pauseSink(sink: UpstreamResponseSink): void {
    if (this.#state !== 'body') return;
    this.#watch();
    sink.onResponsePause();
  }

  #endResponse(): void {
    const sink = this.#sink as UpstreamResponseSink;
    this.#state = 'done';
    this.#deadlines.clear(this);
    sink.onResponseEnd(sink.responseHead.framing === 'chunked' ? (this.#decoder as ChunkedDecoder).trailers : null);
  }

  // --- failures

  /** A reused connection that ends before a byte of its response was closed by an idle peer, most likely: worth a fresh one. */
  #beforeFirstByte(): RetrySafety {
    return this.isReused && this.bytesReceived === 0 ? 'reused-only' : 'yes';
  }

  #brokenWire(error: Error | null, retry: RetrySafety): ProxyError {
    if (error === null) {
      return new ProxyError('premature-close', 'upstream prematurely closed connection', {
        side: 'upstream',
        status: 502,
        retry,
      });
    }
    const { syscall, code } = error as NodeJS.ErrnoException;
    const isWrite = syscall === 'write';
    const text = `${isWrite ? 'send' : 'recv'}() failed (${strerror(code ?? error.message)})`;
    return new ProxyError(isWrite ? 'send-failed' : 'read-failed', text, {
      side: 'upstream',
      status: 502,
      retry,
      cause: error,
    });
  }

  #fail(code: ProxyError['code'], text: string, retry: RetrySafety): void {
    const isTimeout = code === 'send-timeout' || code === 'read-timeout';
    this.#failWith(new ProxyError(code, text, { side: 'upstream', status: isTimeout ? 504 : 502, retry }));
  }

  #failWith(error: ProxyError): void {
    const sink = this.#sink;
    this.destroy();
    sink?.onUpstreamError(error);
  }

  #lose(): void {
    this.destroy();
    this.#home.lost(this);
  }
}
