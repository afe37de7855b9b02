import { describe, expect, test } from 'vitest';
import type { ToWorker } from '../../../src/process/messages.ts';
import { StatsCollector } from '../../../src/process/stats-collector.ts';
import { WorkerLink } from '../../../src/process/worker-link.ts';
import { WorkerSlot } from '../../../src/process/worker-slot.ts';

class FakeLink extends WorkerLink {
  readonly isInProcess = false;
  readonly pid: number;
  readonly sent: ToWorker[] = [];

  constructor(pid: number) {
    super();
    this.pid = pid;
  }

  send(message: ToWorker): void {
    this.sent.push(message);
  }

  kill(): void {
    this.emit('exit', { code: 0, signal: null });
  }
}

function worker(pid: number): { readonly slot: WorkerSlot; readonly link: FakeLink } {
  const link = new FakeLink(pid);
  return { slot: new WorkerSlot(pid, link), link };
}

const stats = (pid: number, counters: readonly number[]) => ({ pid, counters, upstreams: null });

describe('statistics of all workers', () => {
  test('are summed when all have answered', async () => {
    const collector = new StatsCollector();
    const [a, b] = [worker(1), worker(2)];
    const sum = collector.collect([a.slot, b.slot], false);
    expect(a.link.sent).toEqual([{ type: 'stats-query', query: 1, isFull: false }]);
    collector.answered(a.slot, 1, stats(1, [5, 5, 9, 2, 1, 1, 0]));
    collector.answered(b.slot, 1, stats(2, [1, 1, 1, 1, 0, 0, 1]));
    expect((await sum).counters).toEqual([6, 6, 10, 3, 1, 1, 1]);
  });

  test('count a silent worker with what it said last, after a bounded wait', async () => {
    const collector = new StatsCollector();
    const silent = worker(1);
    silent.slot.counters = [4, 4, 4, 1, 0, 0, 1];
    const { counters, workers } = await collector.collect([silent.slot], true);
    expect(counters).toEqual([4, 4, 4, 1, 0, 0, 1]);
    expect(workers).toEqual([]);
  });

  test('keep the totals of a worker that ended, not its connections, and do not wait for it', async () => {
    const collector = new StatsCollector();
    const dead = worker(1);
    dead.slot.counters = [4, 4, 7, 2, 1, 1, 0];
    const asked = collector.collect([dead.slot], false);
    dead.link.kill();
    collector.ended(dead.slot);
    await asked;
    const { counters } = await collector.collect([], false);
    expect(counters).toEqual([4, 4, 7, 0, 0, 0, 0]);
  });

  test('ignore an answer that comes too late', async () => {
    const collector = new StatsCollector();
    const slow = worker(1);
    await collector.collect([slow.slot], false);
    collector.answered(slow.slot, 1, stats(1, [1, 1, 1, 0, 0, 0, 0]));
    expect(slow.slot.counters).toEqual([1, 1, 1, 0, 0, 0, 0]);
  });
});
