import { nowMs } from '../core/clock.ts';
import type { ContentState, Exchange } from './exchange.ts';
import { type Pace, rateAllowance, rateDelayMs } from './rate.ts';

/** A response's body that is there as a whole and goes out at a `limit_rate`; then the exchange ends. */
export class PacedBody implements ContentState {
  readonly #ex: Exchange;
  readonly #body: Uint8Array;
  readonly #pace: Pace;
  readonly #startedAtMs = nowMs();
  #sentBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #isOver = false;

  /** The head was sent. */
  constructor(ex: Exchange, body: Uint8Array, pace: Pace) {
    this.#ex = ex;
    this.#body = body;
    this.#pace = pace;
    ex.content = this;
    this.#pump();
  }

  onWritable(): void {
    if (this.#timer === null) this.#pump();
  }

  onClientAborted(
    reason = 'client prematurely closed connection',
    _cause?: Error | null,
    level: 'info' | 'error' = 'info',
  ): void {
    this.#isOver = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#ex.location.errorLog.write(level, this.#ex, reason);
    this.#ex.stream.abort();
  }

  #pump(): void {
    const { stream } = this.#ex;
    const { bytesPerSec, afterBytes } = this.#pace;
    const body = this.#body;
    this.#timer = null;
    const allowed = rateAllowance(bytesPerSec, nowMs() - this.#startedAtMs, this.#sentBytes - afterBytes);
    if (allowed > 0) {
      const piece = body.subarray(this.#sentBytes, this.#sentBytes + allowed);
      this.#sentBytes += piece.length;
      const isTaken = stream.sendBody(piece);
      // A filter may have given up.
      if (this.#isOver) return;
      if (this.#sentBytes === body.length) {
        stream.endBody(null);
        return;
      }
      if (!stream.flush() || !isTaken) return;
    }
    this.#timer = setTimeout(() => this.#pump(), rateDelayMs(bytesPerSec, Math.min(allowed, 0)));
  }
}
