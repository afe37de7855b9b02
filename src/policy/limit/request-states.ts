import { SlabSpace } from './slab-space.ts';

/** Idle for so long, a state that has no excess left may go. */
const IDLE_MS = 60_000;
/** nginx's: what a zone keeps for itself, and for each state beside the key. */
const SHARED_BYTES = 80;
const STATE_BYTES = 80;
const LOG_CONTEXT = ' in limit_req zone ""\0';

/** One key's account, in milli-requests. */
export interface RequestState {
  readonly key: string;
  excess: number;
  /** Instant that `excess` is of; whole ms. */
  lastMs: number;
  /** Looked at and not yet settled: not to be removed. */
  isBusy: boolean;
  newer: RequestState | null;
  older: RequestState | null;
}

/**
 * The states of one `limit_req_zone`: nginx's leaky bucket for each key, the least recently used ones removed when the zone is full.
 *
 * ```
 *   #newest <-> state <-> state <-> #oldest        (a lookup moves its state to the front)
 * ```
 */
export class RequestStates {
  /** Milli-requests per second. */
  rateMilliPerSec: number;
  readonly #space: SlabSpace;
  readonly #states = new Map<string, RequestState>();
  #newest: RequestState | null = null;
  #oldest: RequestState | null = null;

  constructor(zone: { readonly name: string; readonly bytes: number; readonly rateMilliPerSec: number }) {
    this.rateMilliPerSec = zone.rateMilliPerSec;
    this.#space = new SlabSpace(zone.bytes);
    this.#space.take(LOG_CONTEXT.length + zone.name.length);
    this.#space.take(SHARED_BYTES);
  }

  get size(): number {
    return this.#states.size;
  }

  /** The state of a key, now the newest; null: there is none. */
  find(key: string): RequestState | null {
    const state = this.#states.get(key);
    if (state === undefined) return null;
    this.#unlink(state);
    this.#link(state);
    return state;
  }

  /** The excess that one more request would bring about, never below 0. */
  excessAfter({ excess, lastMs }: Pick<RequestState, 'excess' | 'lastMs'>, nowMs: number): number {
    return excessAfter(excess, lastMs, this.rateMilliPerSec, nowMs);
  }

  /** A state for a key that has none, as if its last request were ages ago; null: no room, whatever may be removed. */
  add(key: string, nowMs: number): RequestState | null {
    const bytes = STATE_BYTES + key.length;
    this.#expire(nowMs, false);
    if (!this.#space.take(bytes)) {
      this.#expire(nowMs, true);
      if (!this.#space.take(bytes)) return null;
    }
    const state: RequestState = {
      // A copy: the key may be a part of a much longer text, which it would keep alive.
      key: Buffer.from(key, 'latin1').toString('latin1'),
      excess: 0,
      lastMs: Number.NEGATIVE_INFINITY,
      isBusy: false,
      newer: null,
      older: null,
    };
    this.#states.set(state.key, state);
    this.#link(state);
    return state;
  }

  /** From the oldest to the newest. */
  *[Symbol.iterator](): Generator<RequestState> {
    for (let state = this.#oldest; state !== null; state = state.newer) yield state;
  }

  /** nginx's ngx_http_limit_req_expire: up to two idle states; with `byForce` the oldest one before them, idle or not. */
  #expire(nowMs: number, byForce: boolean): void {
    for (let n = byForce ? 0 : 1; n < 3; n++) {
      const state = this.#oldest;
      if (state === null || state.isBusy) return;
      if (n > 0) {
        const ms = Math.abs(nowMs - state.lastMs);
        if (ms < IDLE_MS || state.excess - Math.floor((this.rateMilliPerSec * ms) / 1000) > 0) return;
      }
      this.#unlink(state);
      this.#states.delete(state.key);
      this.#space.give(STATE_BYTES + state.key.length);
    }
  }

  #link(state: RequestState): void {
    state.older = this.#newest;
    state.newer = null;
    if (this.#newest !== null) this.#newest.newer = state;
    this.#newest = state;
    this.#oldest ??= state;
  }

  #unlink(state: RequestState): void {
    if (state.older === null) this.#oldest = state.newer;
    else state.older.newer = state.newer;
    if (state.newer === null) this.#newest = state.older;
    else state.newer.older = state.older;
  }
}

/** nginx's arithmetic: milli-requests, whole ms, rounded down; a clock that stands or goes back a little leaks nothing. */
export function excessAfter(excess: number, lastMs: number, rateMilliPerSec: number, nowMs: number): number {
  return Math.max(0, excess - Math.floor((rateMilliPerSec * msSince(lastMs, nowMs)) / 1000) + 1000);
}

/** Of another worker the present may be a little behind: that counts as no time at all. */
export function msSince(lastMs: number, nowMs: number): number {
  const ms = nowMs - lastMs;
  if (ms >= 0) return ms;
  return ms < -IDLE_MS ? 1 : 0;
}
