import type { Exchange } from '../../http/exchange.ts';
import { type PipeOwner, type PipeSource, ResponsePipe } from '../../http/response-pipe.ts';
import { sendResponseHead } from '../../http/send-response.ts';
import type { ProxyLocation } from './proxy-location.ts';
import type { ResponsePlan } from './response-plan.ts';

export interface RelayOwner extends Pick<PipeOwner, 'onPipeTempFile' | 'onPipeError'> {
  /** All that came of the response is with the client's stream, which is still to be ended. `isWhole` false: it broke off. */
  onRelayed(isWhole: boolean): void;
}

/** One response on its way to the client: head, body through the pipe, and how it ended. */
export class ResponseRelay implements PipeOwner {
  readonly #owner: RelayOwner;
  readonly #pipe: ResponsePipe;
  #isWhole = true;
  /** `proxy_buffering` of this response, X-Accel-Buffering counted in. */
  isBuffered = true;
  /** The read that brought the head is still being looked at. */
  isHeadRead = false;

  constructor(owner: RelayOwner, now: () => number) {
    this.#owner = owner;
    this.#pipe = new ResponsePipe(this, now);
  }

  get receivedBytes(): number {
    return this.#pipe.receivedBytes;
  }

  begin(ex: Exchange, location: ProxyLocation, source: PipeSource, plan: ResponsePlan): void {
    let settings = plan.pipeSettings(ex, location);
    this.#isWhole = true;
    this.isBuffered = settings.isBuffered;
    this.isHeadRead = true;
    sendResponseHead(ex);
    if (ex.filtered !== null && settings.limitRateBytes > 0) {
      ex.filtered.pace({ bytesPerSec: settings.limitRateBytes, afterBytes: settings.limitRateAfterBytes });
      settings = { ...settings, limitRateBytes: 0 };
    }
    // Behind the head, for it chooses the filters, which also decide whether a part is still asked for.
    this.#pipe.begin(ex.stream, source, settings, ex.response.part === null ? null : plan.range);
  }

  onData(chunk: Buffer): void {
    this.#pipe.onData(chunk);
  }

  onPause(): void {
    this.isHeadRead = false;
    this.#pipe.onPause();
  }

  onWritable(): void {
    this.#pipe.onWritable();
  }

  /** Nothing more will come. What a slow client has not taken yet still goes out first. */
  end(isWhole: boolean): void {
    this.#isWhole = isWhole;
    this.#pipe.onEnd();
  }

  close(): void {
    this.#pipe.close();
  }

  onPipeDone(): void {
    this.#owner.onRelayed(this.#isWhole);
  }

  onPipeTempFile(name: string): void {
    this.#owner.onPipeTempFile(name);
  }

  onPipeError(error: unknown): void {
    this.#owner.onPipeError(error);
  }
}
