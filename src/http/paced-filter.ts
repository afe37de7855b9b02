import { nowMs } from '../core/clock.ts';
import type { BodyFilter, BodyFilterLink } from './body-filter.ts';
import type { HeaderBlock } from './header-block.ts';
import { type Pace, rateAllowance, rateDelayMs } from './rate.ts';

/** `limit_rate` behind other filters: it counts what goes to the client, not what they made it of. */
export class PacedFilter implements BodyFilter {
  readonly #link: BodyFilterLink;
  readonly #pace: Pace;
  readonly #startedAtMs = nowMs();
  #sentBytes = 0;
  /** What may not go yet of the chunk that this filter has said false to. */
  #left: Uint8Array | null = null;
  #isBlocked = false;
  #isEnding = false;
  #trailers: HeaderBlock | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(link: BodyFilterLink, pace: Pace) {
    this.#link = link;
    this.#pace = pace;
  }

  sendBody(chunk: Uint8Array): boolean {
    this.#left = chunk;
    this.#pump();
    return this.#isFree;
  }

  flush(): boolean {
    if (this.#isFree && !this.#link.flush()) this.#isBlocked = true;
    return this.#isFree;
  }

  endBody(trailers: HeaderBlock | null): void {
    this.#isEnding = true;
    this.#trailers = trailers;
    if (this.#left === null) this.#link.endBody(trailers);
  }

  onWritable(): void {
    this.#isBlocked = false;
    this.#goOn();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#left = null;
  }

  get #isFree(): boolean {
    return this.#left === null && !this.#isBlocked;
  }

  #pump(): void {
    const { bytesPerSec, afterBytes } = this.#pace;
    while (this.#left !== null && !this.#isBlocked && this.#timer === null) {
      const allowed = rateAllowance(bytesPerSec, nowMs() - this.#startedAtMs, this.#sentBytes - afterBytes);
      if (allowed <= 0) {
        this.#timer = setTimeout(
          () => {
            this.#timer = null;
            this.#goOn();
          },
          rateDelayMs(bytesPerSec, allowed),
        );
        return;
      }
      const left: Uint8Array = this.#left;
      const piece = left.subarray(0, allowed);
      this.#left = piece.length < left.length ? left.subarray(piece.length) : null;
      this.#sentBytes += piece.length;
      if (!this.#link.sendBody(piece)) this.#isBlocked = true;
    }
  }

  #goOn(): void {
    this.#pump();
    if (this.#isEnding && this.#left === null) {
      this.#isEnding = false;
      this.#link.endBody(this.#trailers);
    } else if (this.#isFree) this.#link.resume();
  }
}
