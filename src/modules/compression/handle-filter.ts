import type { BodyFilter, BodyFilterLink } from '../../http/body-filter.ts';
import type { HeaderBlock } from '../../http/header-block.ts';
import { type Codec, codecFailure } from './codec.ts';
import type { CodedSizes } from './coded-sizes.ts';
import { ZlibHandle } from './zlib-handle.ts';

const NO_BYTES = new Uint8Array(0);
/** Of one output buffer. */
const OUT_BYTES = 32 * 1024;
/** Input that is worked on at once. */
const STEP_BYTES = 64 * 1024;
/** After so many bytes in and out others have their turn: that is 0.3 ms of gzip at level 1, 0.7 ms at 6, 1 ms of brotli at 6. */
const REST_BYTES = 64 * 1024;

const MAX_SPARE = 32;
const spare: Buffer[] = [];

/**
 * Codes a body in this thread. Holds one output buffer, and at most the chunk that it has said false to: what a small input swells to is made only
 * as fast as the client takes it.
 */
export class HandleFilter implements BodyFilter {
  readonly #link: BodyFilterLink;
  readonly #codec: Codec;
  readonly #sizes: CodedSizes;
  #handle: ZlibHandle | null;
  /** What is worked on; unchanged as long as this filter has said false. */
  #input: Uint8Array | null = null;
  #inputAt = 0;
  #out: Buffer = spare.pop() ?? Buffer.allocUnsafeSlow(OUT_BYTES);
  #outAt = 0;
  /** The next one has not taken the last buffer, which is its own since. */
  #isBlocked = false;
  #hasRefused = false;
  /** Something came in since the last flush. */
  #isDirty = false;
  #isFlushDue = false;
  #isEnding = false;
  #trailers: HeaderBlock | null = null;
  #workBytes = 0;
  #rest: NodeJS.Immediate | null = null;

  constructor(link: BodyFilterLink, codec: Codec, sizes: CodedSizes) {
    this.#link = link;
    this.#codec = codec;
    this.#sizes = sizes;
    this.#handle = ZlibHandle.take(codec);
  }

  sendBody(chunk: Uint8Array): boolean {
    this.#input = chunk;
    this.#inputAt = 0;
    this.#isDirty = true;
    this.#work();
    return this.#answer();
  }

  flush(): boolean {
    if (this.#isDirty) {
      this.#isFlushDue = true;
      this.#work();
    } else if (!this.#link.flush()) this.#isBlocked = true;
    return this.#answer();
  }

  endBody(trailers: HeaderBlock | null): void {
    this.#isEnding = true;
    this.#trailers = trailers;
    this.#work();
  }

  onWritable(): void {
    this.#isBlocked = false;
    this.#goOn();
  }

  close(): void {
    this.#handle?.giveBack();
    this.#handle = null;
    this.#input = null;
    if (this.#rest !== null) clearImmediate(this.#rest);
    if (spare.length < MAX_SPARE) spare.push(this.#out);
  }

  get #isIdle(): boolean {
    return this.#input === null && !this.#isFlushDue && !this.#isBlocked && this.#rest === null;
  }

  /** What whoever fills this filter is told; when it is false, it will hear of it. */
  #answer(): boolean {
    if (this.#handle === null || this.#isIdle) return true;
    this.#hasRefused = true;
    return false;
  }

  #goOn(): void {
    this.#work();
    if (!this.#hasRefused || this.#handle === null || !this.#isIdle) return;
    this.#hasRefused = false;
    this.#link.resume();
  }

  /** Does what there is to do, until the next one is full, or others must have their turn. */
  #work(): void {
    while (this.#handle !== null && !this.#isBlocked && this.#rest === null) {
      const input = this.#input;
      if (input === null && !this.#isFlushDue && !this.#isEnding) return;
      if (this.#workBytes >= REST_BYTES) {
        this.#takeRest();
        return;
      }
      if (input === null && this.#isEnding && this.#sizes.in === 0 && this.#codec.isDecoder) {
        this.#end();
        return;
      }
      // 1. One step: more input, or what is in the coder goes out.
      const handle = this.#handle;
      const { process, flush, finish } = this.#codec;
      const length = input === null ? 0 : Math.min(input.length - this.#inputAt, STEP_BYTES);
      const operation = input !== null ? process : this.#isFlushDue ? flush : finish;
      handle.write(operation, input ?? NO_BYTES, this.#inputAt, length, this.#out, this.#outAt);
      if (handle.errno !== 0) {
        this.#link.fail(codecFailure(this.#codec, operation, handle.errno));
        return;
      }
      const consumed = length - handle.inputLeft;
      const end = this.#out.length - handle.roomLeft;
      this.#inputAt += consumed;
      this.#workBytes += consumed + end - this.#outAt;
      this.#sizes.in += consumed;
      this.#outAt = end;
      // 2. A full buffer goes on; perhaps there is more.
      if (handle.roomLeft === 0) {
        this.#send();
        continue;
      }
      if (input !== null) {
        if (this.#inputAt >= input.length) {
          this.#input = null;
          this.#inputAt = 0;
        }
        continue;
      }
      // 3. All is made of what came.
      this.#send();
      if (operation === finish) {
        this.#end();
        return;
      }
      this.#isFlushDue = false;
      this.#isDirty = false;
      if (!this.#isBlocked && this.#handle !== null && !this.#link.flush()) this.#isBlocked = true;
    }
  }

  #send(): void {
    if (this.#outAt === 0) return;
    const piece = this.#out.subarray(0, this.#outAt);
    this.#sizes.out += this.#outAt;
    this.#outAt = 0;
    if (this.#link.sendBody(piece)) return;
    this.#isBlocked = true;
    this.#out = spare.pop() ?? Buffer.allocUnsafeSlow(OUT_BYTES);
  }

  #end(): void {
    const trailers = this.#trailers;
    this.#isEnding = false;
    this.#sizes.isWhole = true;
    this.#handle?.giveBack();
    this.#handle = null;
    this.#link.endBody(trailers);
  }

  #takeRest(): void {
    this.#workBytes = 0;
    this.#rest = setImmediate(() => {
      this.#rest = null;
      this.#goOn();
    });
  }
}
