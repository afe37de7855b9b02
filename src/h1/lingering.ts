import type { CoreSettings } from '../http/location.ts';

/** How long unread bytes of a client are still read and dropped (`lingering_time`, `lingering_timeout`). */
export class Lingering {
  /** Settings of the last exchange's location; null before the first. */
  core: CoreSettings | null = null;
  #untilMs = 0;

  begin(nowMs: number): void {
    this.#untilMs = nowMs + (this.core?.lingeringTimeMs ?? 0);
  }

  /** How long to wait for the next bytes, in ms; 0 = no longer. */
  waitMs(nowMs: number): number {
    return this.core === null ? 0 : Math.max(Math.min(this.core.lingeringTimeoutMs, this.#untilMs - nowMs), 0);
  }
}
