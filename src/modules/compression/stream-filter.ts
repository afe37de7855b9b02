import type { BodyFilter, BodyFilterLink } from '../../http/body-filter.ts';
import type { HeaderBlock } from '../../http/header-block.ts';
import { type Codec, codecFailure, type ZlibStream } from './codec.ts';
import type { CodedSizes } from './coded-sizes.ts';

/** So much of a body may wait for the coder. */
const MAX_WAITING_BYTES = 64 * 1024;

/**
 * Codes a body with node:zlib's public streams, in libuv's threads: for codecs that take long, and where `ZlibHandle` can't be had.
 * Chunks are copied: who fills it need not wait for the thread.
 */
export class StreamFilter implements BodyFilter {
  readonly #link: BodyFilterLink;
  readonly #codec: Codec;
  readonly #sizes: CodedSizes;
  readonly #stream: ZlibStream;
  #isBlocked = false;
  #hasRefused = false;
  #isDirty = false;
  #isEnded = false;
  #isClosed = false;
  #trailers: HeaderBlock | null = null;

  constructor(link: BodyFilterLink, codec: Codec, sizes: CodedSizes) {
    this.#link = link;
    this.#codec = codec;
    this.#sizes = sizes;
    this.#stream = codec.create();
    this.#stream.on('data', (piece: Buffer) => this.#onMade(piece));
    this.#stream.on('end', () => this.#onEnd());
    this.#stream.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#isClosed) return;
      const operation = this.#isEnded ? codec.finish : codec.process;
      link.fail(codecFailure(codec, operation, error.errno ?? 0));
    });
  }

  sendBody(chunk: Uint8Array): boolean {
    this.#isDirty = true;
    this.#sizes.in += chunk.length;
    this.#stream.write(Buffer.from(chunk), () => this.#onTaken());
    return this.#answer();
  }

  flush(): boolean {
    if (!this.#isDirty) {
      if (!this.#link.flush()) this.#isBlocked = true;
    } else {
      this.#isDirty = false;
      this.#stream.flush(this.#codec.flush, () => this.#onFlushed());
    }
    return this.#answer();
  }

  endBody(trailers: HeaderBlock | null): void {
    this.#trailers = trailers;
    this.#isEnded = true;
    this.#hasRefused = false;
    if (this.#codec.isDecoder && this.#sizes.in === 0) this.#onEnd();
    else this.#stream.end();
  }

  onWritable(): void {
    this.#isBlocked = false;
    this.#stream.resume();
    this.#onTaken();
  }

  close(): void {
    this.#isClosed = true;
    this.#stream.destroy();
  }

  /** Whether more may come; if not, whoever fills it will hear of it. */
  #answer(): boolean {
    if (!this.#isFull) return true;
    this.#hasRefused = true;
    return false;
  }

  get #isFull(): boolean {
    return this.#isBlocked || this.#stream.writableLength >= MAX_WAITING_BYTES;
  }

  #onTaken(): void {
    if (this.#isClosed || !this.#hasRefused || this.#isFull) return;
    this.#hasRefused = false;
    this.#link.resume();
  }

  #onMade(piece: Buffer): void {
    if (this.#isClosed) return;
    this.#sizes.out += piece.length;
    if (this.#link.sendBody(piece)) return;
    this.#isBlocked = true;
    this.#stream.pause();
  }

  #onFlushed(): void {
    if (!this.#isClosed && !this.#isBlocked && !this.#link.flush()) this.#isBlocked = true;
  }

  #onEnd(): void {
    if (this.#isClosed) return;
    this.#sizes.isWhole = true;
    this.#link.endBody(this.#trailers);
  }
}
