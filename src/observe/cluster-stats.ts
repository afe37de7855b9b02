import { addCounters, COUNTER_COUNT, type Counters } from './counters.ts';

/** What one worker knows of itself. */
export interface WorkerStats {
  readonly pid: number;
  /** As `Counters.values`. */
  readonly counters: readonly number[];
  /** The state of its upstreams, plain JSON; null when it was not asked for. */
  readonly upstreams: unknown;
}

/** Everybody's numbers together. */
export interface ClusterStats {
  /** Sum over the workers, those that ended included. */
  readonly counters: readonly number[];
  readonly workers: readonly WorkerStats[];
}

/** Asks the primary; `isFull`: with the state of the upstreams. */
export type AskStats = (query: number, isFull: boolean) => void;

/** How old the others' numbers may be when a variable asks for a sum. */
const FRESH_MS = 100;

/** A worker's way to the numbers of all workers. */
export class ClusterStatsClient {
  readonly #counters: Counters;
  readonly #ask: AskStats;
  readonly #now: () => number;
  readonly #waiting = new Map<number, (stats: ClusterStats) => void>();
  #lastQuery = 0;
  /** Sum over the others and those that ended. */
  readonly #others = new Float64Array(COUNTER_COUNT);
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(counters: Counters, ask: AskStats, now: () => number) {
    this.#counters = counters;
    this.#ask = ask;
    this.#now = now;
  }

  collect(isFull: boolean): Promise<ClusterStats> {
    const query = ++this.#lastQuery;
    return new Promise((resolve) => {
      this.#waiting.set(query, resolve);
      this.#ask(query, isFull);
    });
  }

  /** The sum at place `index` of `Counters.values`, at once: our own now, the others' as of a moment ago. */
  peek(index: number): number {
    const nowMs = this.#now();
    if (nowMs - this.#askedAtMs > FRESH_MS) {
      this.#askedAtMs = nowMs;
      this.collect(false).catch(() => undefined); // never rejects
    }
    return (this.#others[index] ?? 0) + (this.#counters.values[index] ?? 0);
  }

  answered(query: number, stats: ClusterStats): void {
    const own = stats.workers.find((worker) => worker.pid === process.pid);
    this.#others.fill(0);
    addCounters(this.#others, stats.counters);
    if (own !== undefined)
      for (const [i, value] of own.counters.entries()) this.#others[i] = (this.#others[i] ?? 0) - value;
    this.#waiting.get(query)?.(stats);
    this.#waiting.delete(query);
  }
}
