import type { ClusterStats, WorkerStats } from '../observe/cluster-stats.ts';
import { addCounters, addRetired, COUNTER_COUNT } from '../observe/counters.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** A worker that is busy for longer is counted with what it said last. */
const PATIENCE_MS = 250;

interface Collection {
  readonly missing: Set<WorkerSlot>;
  readonly answers: WorkerStats[];
  finish(): void;
}

/** Sums what the workers know, on request. Totals of workers that ended are kept. */
export class StatsCollector {
  readonly #retired = new Float64Array(COUNTER_COUNT);
  readonly #running = new Map<number, Collection>();
  #lastQuery = 0;

  /** `isFull`: with the peers' state, not only the connection counters. */
  async collect(workers: readonly WorkerSlot[], isFull: boolean): Promise<ClusterStats> {
    const asked = workers.filter((worker) => worker.exit === null);
    const query = ++this.#lastQuery;
    const answers: WorkerStats[] = [];
    if (asked.length > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, PATIENCE_MS);
        const finish = (): void => {
          clearTimeout(timer);
          resolve();
        };
        this.#running.set(query, { missing: new Set(asked), answers, finish });
        for (const worker of asked) worker.link.send({ type: 'stats-query', query, isFull });
      });
      this.#running.delete(query);
    }
    const counters = Float64Array.from(this.#retired);
    for (const worker of asked) {
      addCounters(counters, answers.find((answer) => answer.pid === worker.pid)?.counters ?? worker.counters);
    }
    return { counters: [...counters], workers: answers };
  }

  answered(worker: WorkerSlot, query: number, stats: WorkerStats): void {
    worker.counters = stats.counters;
    const collection = this.#running.get(query);
    if (collection === undefined || !collection.missing.delete(worker)) return;
    collection.answers.push(stats);
    if (collection.missing.size === 0) collection.finish();
  }

  /** It ended: its totals stay, its connections are gone. */
  ended(worker: WorkerSlot): void {
    addRetired(this.#retired, worker.counters);
    for (const collection of this.#running.values()) {
      if (collection.missing.delete(worker) && collection.missing.size === 0) collection.finish();
    }
  }
}
