import { ProxyError } from '../core/errors.ts';
import type { BodySink } from '../http/client-stream.ts';
import type { RequestHead } from '../http/request-head.ts';
import { CHUNK_ERROR, CHUNK_TOO_LARGE, ChunkedDecoder } from './chunked-decoder.ts';
import type { InputQueue } from './input-queue.ts';

/** Takes one request's body out of the input, framing removed, and hands it to a sink. */
export class RequestBodyReader {
  #remaining = 0;
  #decoder: ChunkedDecoder | null = null;
  #sink: BodySink | null = null;
  #isBroken = false;
  #isPaused = false;
  #isUntouched = true;
  /** Body bytes that were delivered, framing included. */
  wireBytes = 0;
  readonly #onChunk = (view: Buffer): boolean => this.#deliverChunk(view);

  begin(head: RequestHead): void {
    this.#remaining = head.framing === 'length' ? head.contentLength : 0;
    if (head.framing === 'chunked') {
      this.#decoder ??= new ChunkedDecoder();
      this.#decoder.reset();
    } else this.#decoder = null;
    this.#sink = null;
    this.#isBroken = false;
    this.#isPaused = false;
    this.#isUntouched = true;
    this.wireBytes = 0;
  }

  /** Nobody has asked for it yet. */
  get isUntouched(): boolean {
    return this.#isUntouched;
  }

  /** Everything that belongs to this body was read. */
  get isDone(): boolean {
    return this.#remaining === 0 && (this.#decoder === null || this.#decoder.isDone);
  }

  /** Its framing is lost: nothing behind it can be trusted. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** A sink wants bytes now. */
  get isWanted(): boolean {
    return this.#sink !== null && !this.#isPaused;
  }

  get hasSink(): boolean {
    return this.#sink !== null;
  }

  /** `maxBytes` bounds a chunked body; 0 = none. */
  deliverTo(sink: BodySink, maxBytes: number): void {
    this.#sink = sink;
    this.#isUntouched = false;
    if (this.#decoder !== null) this.#decoder.maxBytes = maxBytes;
    this.#isPaused = false;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  /** The sink hears of the failure, once. */
  fail(error: ProxyError): void {
    this.#isBroken = true;
    const sink = this.#sink;
    this.#sink = null;
    sink?.onBodyError(error);
  }

  /** Nobody listens any more; what comes is for `discard`. */
  detach(): void {
    this.#sink = null;
  }

  /** Feeds the sink from the input, as far as both go. */
  deliver(input: InputQueue): void {
    if (this.#decoder !== null) this.#readChunked(input);
    else if (this.#remaining > 0) {
      const taken = Math.min(this.#remaining, input.length);
      const view = input.bytes.subarray(input.start, input.start + taken);
      input.start += taken;
      this.#remaining -= taken;
      this.wireBytes += taken;
      if (taken > 0) this.#sink?.onBodyData(view);
    }
    if (this.isDone) this.#finish();
  }

  /** Takes and drops what belongs to the body. As in nginx it does not count as a part of the request's length. */
  discard(input: InputQueue): void {
    if (this.#decoder === null) {
      const taken = Math.min(this.#remaining, input.length);
      input.start += taken;
      this.#remaining -= taken;
      return;
    }
    const stop = this.#decoder.decode(input.bytes, input.start, input.end, () => true);
    if (stop < 0) this.#isBroken = true;
    else input.start = stop;
  }

  #readChunked(input: InputQueue): void {
    const decoder = this.#decoder as ChunkedDecoder;
    const before = input.start;
    const stop = decoder.decode(input.bytes, input.start, input.end, this.#onChunk);
    if (stop === CHUNK_TOO_LARGE) {
      const sizes = `${decoder.earlierBytes}+${decoder.chunkBytes}`;
      this.fail(
        new ProxyError('body-too-large', `client intended to send too large chunked body: ${sizes} bytes`, {
          side: 'client',
          status: 413,
        }),
      );
      return;
    }
    if (stop === CHUNK_ERROR) {
      this.fail(new ProxyError('bad-request', 'client sent invalid chunked body', { side: 'client', status: 400 }));
      return;
    }
    input.start = stop;
    this.wireBytes += stop - before;
  }

  #deliverChunk(view: Buffer): boolean {
    this.#sink?.onBodyData(view);
    return this.#sink !== null && !this.#isPaused;
  }

  #finish(): void {
    const sink = this.#sink;
    this.#sink = null;
    sink?.onBodyEnd(this.#decoder === null ? null : this.#decoder.trailers);
  }
}
