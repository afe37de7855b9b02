import { strerror } from '../../core/strerror.ts';
import { respondStatus } from '../../http/error-response.ts';
import type { ContentState, Exchange } from '../../http/exchange.ts';
import { runPhases } from '../../http/phases.ts';

/** A request that waits for its turn; a client that goes away meanwhile ends it (499). */
export class DelayedRequest implements ContentState {
  readonly #ex: Exchange;
  readonly #timer: NodeJS.Timeout;

  constructor(ex: Exchange, delayMs: number) {
    this.#ex = ex;
    ex.content = this;
    this.#timer = setTimeout(() => {
      ex.content = null;
      runPhases(ex);
    }, delayMs);
  }

  onClientAborted(reason?: string, cause: Error | null = null): void {
    clearTimeout(this.#timer);
    const code = (cause as NodeJS.ErrnoException | null)?.code;
    const why = code === undefined ? '' : ` (${strerror(code)})`;
    const ex = this.#ex;
    ex.location.errorLog.write('info', ex, reason ?? `client prematurely closed connection${why}`);
    respondStatus(ex, 499);
  }

  onWritable(): void {
    // nothing was written
  }
}
