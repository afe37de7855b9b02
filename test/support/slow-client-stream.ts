import type { BodySink, ClientStream, TunnelEnd, TunnelSink } from '../../src/http/client-stream.ts';
import type { Exchange } from '../../src/http/exchange.ts';
import type { HeaderBlock } from '../../src/http/header-block.ts';
import { logExchange } from '../../src/http/phases.ts';

/**
 * A client whose socket takes `roomBytes` and then is full until the test calls `take`. Keeps to the contract of `sendBody`:
 * what it was given is read only when it is taken, so that a chunk that was changed too early shows in `body`.
 */
export class SlowClientStream implements ClientStream {
  body = '';
  status = 0;
  end: 'open' | 'ended' | 'aborted' = 'open';
  informational: number[] = [];
  isDiscarding = false;
  bodySink: BodySink | null = null;
  isBodyPaused = false;
  trailers: HeaderBlock | null = null;
  onWritable: () => void = () => undefined;
  readonly sentTunnel: string[] = [];
  tunnel: TunnelSink | null = null;
  tunnelEnd: 'open' | 'ended' | 'destroyed' = 'open';
  isTunnelPaused = false;
  isTunnelFull = false;
  #roomBytes: number;
  #waiting: Uint8Array[] = [];
  #ex: Exchange | null = null;

  constructor(roomBytes = Number.POSITIVE_INFINITY) {
    this.#roomBytes = roomBytes;
  }

  serve(ex: Exchange): void {
    this.#ex = ex;
    this.onWritable = () => ex.onWritable();
  }

  get isHeadSent(): boolean {
    return this.status !== 0;
  }

  get pendingBytes(): number {
    return this.#waiting.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** The client reads `bytes`; when nothing waits any more, writing may go on. */
  take(bytes = Number.POSITIVE_INFINITY): void {
    const hadWaiting = this.#waiting.length > 0;
    this.#roomBytes += bytes;
    while (this.#roomBytes > 0 && this.#waiting.length > 0) {
      const chunk = this.#waiting[0] as Uint8Array;
      const count = Math.min(this.#roomBytes, chunk.length);
      this.body += Buffer.from(chunk.subarray(0, count)).toString('latin1');
      this.#roomBytes -= count;
      if (count === chunk.length) this.#waiting.shift();
      else this.#waiting[0] = chunk.subarray(count);
    }
    if (hadWaiting && this.#waiting.length === 0 && this.end === 'open') this.onWritable();
  }

  sendInformational(status: number): void {
    this.informational.push(status);
  }

  sendHead(ex: Exchange): void {
    if (this.status !== 0) throw new Error('a second head');
    this.status = ex.response.status;
  }

  sendBody(chunk: Uint8Array): boolean {
    if (this.end !== 'open') throw new Error('a body after the end');
    this.#waiting.push(chunk);
    const room = this.#roomBytes;
    if (this.pendingBytes <= room && this.#waiting.length === 1) {
      this.body += Buffer.from(chunk).toString('latin1');
      this.#waiting.pop();
      this.#roomBytes -= chunk.length;
      return true;
    }
    return false;
  }

  flush(): boolean {
    return this.#waiting.length === 0;
  }

  endBody(trailers: HeaderBlock | null = null): void {
    this.trailers = trailers;
    this.#finish('ended');
  }

  abort(): void {
    this.#finish('aborted');
  }

  readBody(sink: BodySink): void {
    this.bodySink = sink;
  }

  pauseBody(): void {
    this.isBodyPaused = true;
  }

  resumeBody(): void {
    this.isBodyPaused = false;
  }

  discardBody(): boolean {
    this.isDiscarding = true;
    this.bodySink = null;
    return true;
  }

  openTunnel(tunnel: TunnelSink): TunnelEnd {
    this.tunnel = tunnel;
    return {
      write: (chunk) => {
        this.sentTunnel.push(Buffer.from(chunk).toString('latin1'));
        return !this.isTunnelFull;
      },
      pause: () => {
        this.isTunnelPaused = true;
      },
      resume: () => {
        this.isTunnelPaused = false;
      },
      end: () => {
        this.tunnelEnd = 'ended';
      },
      destroy: () => {
        this.tunnelEnd = 'destroyed';
      },
    };
  }

  #finish(how: 'ended' | 'aborted'): void {
    if (this.end !== 'open') throw new Error(`${how} after it was ${this.end}`);
    this.end = how;
    const ex = this.#ex;
    if (ex === null) return;
    ex.content = null;
    logExchange(ex);
    ex.recycle();
  }
}
