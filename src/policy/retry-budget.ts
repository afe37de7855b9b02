const SLOTS = 10;
const SLOT_MS = 1000;
/** Retries that are always free, within the window: a quiet site has few requests to take a share of. */
const FREE_RETRIES = 3;

/**
 * `retry_budget 20%`: of the requests of the last ten seconds at most this share is tried again. A request that kills or breaks each
 * backend it meets is otherwise sent to all of them, and when all are slow retries multiply the load that made them so.
 */
export class RetryBudget {
  readonly percent: number;
  /** The last one who asked got nothing. */
  isSpent = false;
  /** Retries that were not made. */
  refused = 0;
  readonly #requests = new Uint32Array(SLOTS);
  readonly #retries = new Uint32Array(SLOTS);
  #slot = 0;
  #slotAtMs = Number.NEGATIVE_INFINITY;
  #requestSum = 0;
  #retrySum = 0;

  constructor(percent: number) {
    this.percent = percent;
  }

  noteRequest(nowMs: number): void {
    this.#advance(nowMs);
    this.#requests[this.#slot] = (this.#requests[this.#slot] ?? 0) + 1;
    this.#requestSum++;
  }

  /** Takes one retry out of the budget; false: there is none left. */
  take(nowMs: number): boolean {
    this.#advance(nowMs);
    const allowed = Math.max(FREE_RETRIES, Math.floor((this.#requestSum * this.percent) / 100));
    this.isSpent = this.#retrySum >= allowed;
    if (this.isSpent) {
      this.refused++;
      return false;
    }
    this.#retries[this.#slot] = (this.#retries[this.#slot] ?? 0) + 1;
    this.#retrySum++;
    return true;
  }

  #advance(nowMs: number): void {
    const ahead = Math.floor((nowMs - this.#slotAtMs) / SLOT_MS);
    if (ahead < 1) return;
    this.#slotAtMs = ahead > SLOTS ? nowMs : this.#slotAtMs + ahead * SLOT_MS;
    for (let i = 0; i < Math.min(ahead, SLOTS); i++) {
      this.#slot = (this.#slot + 1) % SLOTS;
      this.#requestSum -= this.#requests[this.#slot] ?? 0;
      this.#retrySum -= this.#retries[this.#slot] ?? 0;
      this.#requests[this.#slot] = 0;
      this.#retries[this.#slot] = 0;
    }
  }
}
