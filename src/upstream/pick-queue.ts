import type { Connecting } from '../net/connector.ts';

/** A request that waits until a peer can be picked for it. */
export interface QueuedRequest {
  /** A peer may be free. True: it has one, and leaves the queue. */
  onTurn(nowMs: number): boolean;
  /** It has waited long enough, and is no longer in the queue. */
  onQueueTimeout(nowMs: number): void;
}

interface Place {
  readonly request: QueuedRequest;
  readonly untilMs: number;
}

/** Releases in this worker are seen at once; what else lets a peer be picked (other workers, checks, time) within so much. */
const LOOK_EVERY_MS = 50;

/** `queue`: requests for which no peer could be picked, first come, first served. Of one worker. */
export class PickQueue {
  /** Most that may wait. */
  readonly max: number;
  readonly timeoutMs: number;
  /** Requests that found it full. */
  overflows = 0;
  readonly #now: () => number;
  readonly #places = new Set<Place>();
  #timer: NodeJS.Timeout | null = null;
  #isTurnPlanned = false;

  constructor(max: number, timeoutMs: number, now: () => number) {
    this.max = max;
    this.timeoutMs = timeoutMs;
    this.#now = now;
  }

  get size(): number {
    return this.#places.size;
  }

  /** What takes the request out again; null: the queue is full. */
  enter(request: QueuedRequest, nowMs: number): Connecting | null {
    if (this.#places.size >= this.max) {
      this.overflows++;
      return null;
    }
    const place = { request, untilMs: nowMs + this.timeoutMs };
    this.#places.add(place);
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS);
    return { cancel: () => this.#leave(place) };
  }

  /** A peer was released: whoever waits is served behind the present work. */
  wake(): void {
    if (this.#isTurnPlanned || this.#places.size === 0) return;
    this.#isTurnPlanned = true;
    queueMicrotask(() => {
      this.#isTurnPlanned = false;
      this.#look();
    });
  }

  #look(): void {
    const nowMs = this.#now();
    for (const place of this.#places) {
      if (place.untilMs <= nowMs) {
        this.#leave(place);
        place.request.onQueueTimeout(nowMs);
      } else if (place.request.onTurn(nowMs)) {
        this.#leave(place);
      } else {
        return; // those behind would overtake it
      }
    }
  }

  #leave(place: Place): void {
    this.#places.delete(place);
    if (this.#places.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
