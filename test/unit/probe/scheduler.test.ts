import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { failed, type Probe, type ProbeResult, passed, timedOut } from '../../../src/probe/probe.ts';
import { ProbeScheduler, type ScheduledCheck } from '../../../src/probe/scheduler.ts';

const START_MS = 1_000_000;

beforeEach(() => {
  vi.useFakeTimers({ now: START_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

const now = (): number => Date.now() - START_MS;

/** A little generator of random numbers, the same in every run. */
function dice(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Answers after so many ms; when it is told that its time is over, unless it is deaf. */
function fakeProbe(tookMs: number, isDeaf = false): Probe & { starts: number[]; aborts: number } {
  const probe = {
    starts: [] as number[],
    aborts: 0,
    run: (_target: unknown, signal: AbortSignal): Promise<ProbeResult> => {
      probe.starts.push(now());
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve(passed('checking')), tookMs);
        signal.addEventListener('abort', () => {
          probe.aborts++;
          if (isDeaf) return;
          clearTimeout(timer);
          resolve(timedOut('reading'));
        });
      });
    },
  };
  return probe;
}

function checkOf(key: string, probe: Probe, intervalMs = 5000, jitterMs = 0): ScheduledCheck {
  return { key, intervalMs, jitterMs, probe, target: { kind: 'tcp', host: '127.0.0.1', port: 1 } };
}

function schedulerOf(maxAtOnce?: number) {
  const results: { key: string; at: number; result: ProbeResult }[] = [];
  const scheduler = new ProbeScheduler({
    now,
    random: dice(),
    onResult: ({ key }, result) => results.push({ key, at: now(), result }),
    ...(maxAtOnce === undefined ? {} : { maxAtOnce }),
  });
  return { scheduler, results };
}

const gaps = (starts: readonly number[]): number[] => starts.slice(1).map((at, i) => at - (starts[i] ?? 0));

describe('checks are made again and again', () => {
  test('first soon, then within an interval, then at the interval', async () => {
    const probe = fakeProbe(10);
    const { scheduler, results } = schedulerOf();
    scheduler.replace([checkOf('a', probe)]);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(probe.starts[0]).toBeLessThan(1000);
    const [second = 0, ...others] = gaps(probe.starts);
    expect(second).toBeGreaterThanOrEqual(2500);
    expect(second).toBeLessThanOrEqual(5000);
    expect(others.length).toBeGreaterThan(700);
    for (const gap of others) expect(Math.abs(gap - 5000)).toBeLessThanOrEqual(1);
    expect(results.length).toBe(probe.starts.length);
    scheduler.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('jitter is added to each interval, never more than said', async () => {
    const probe = fakeProbe(10);
    const { scheduler } = schedulerOf();
    scheduler.replace([checkOf('a', probe, 1000, 500)]);
    await vi.advanceTimersByTimeAsync(600_000);
    const later = gaps(probe.starts).slice(1);
    expect(Math.min(...later)).toBeGreaterThanOrEqual(1000);
    expect(Math.max(...later)).toBeLessThanOrEqual(1501);
    expect(new Set(later).size).toBeGreaterThan(100);
    scheduler.stop();
  });

  test('a hundred peers are not asked in step', async () => {
    const probe = fakeProbe(1);
    const { scheduler } = schedulerOf();
    scheduler.replace(Array.from({ length: 100 }, (_, i) => checkOf(String(i), probe)));
    await vi.advanceTimersByTimeAsync(60_000);
    // Of an interval's hundred looks no tenth of a second has more than a few, once the first looks are over.
    const tenths = new Map<number, number>();
    for (const at of probe.starts.filter((one) => one > 10_000)) {
      tenths.set(Math.floor(at / 100), (tenths.get(Math.floor(at / 100)) ?? 0) + 1);
    }
    expect(Math.max(...tenths.values())).toBeLessThanOrEqual(10);
    // And the first second has them all, spread evenly.
    const first = probe.starts.filter((at) => at < 1001).map((at) => Math.floor(at / 100));
    expect(first.length).toBe(100);
    for (let tenth = 0; tenth < 10; tenth++) expect(first.filter((one) => one === tenth).length).toBeLessThan(15);
    scheduler.stop();
  });
});

describe('a check has its interval, and no more', () => {
  test('one that hangs is told to end, and counts as failed', async () => {
    const probe = fakeProbe(60_000);
    const { scheduler, results } = schedulerOf();
    scheduler.replace([checkOf('a', probe, 1000)]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(scheduler.underWay).toBeLessThanOrEqual(1);
    expect(probe.aborts).toBe(results.length);
    for (const [i, { at, result }] of results.entries()) {
      expect(result).toEqual(timedOut('reading'));
      expect(at - (probe.starts[i] ?? 0)).toBeLessThanOrEqual(1001);
    }
    scheduler.stop();
  });

  test('one that is deaf is given up, and asked again', async () => {
    const probe = fakeProbe(1_000_000, true);
    const { scheduler, results } = schedulerOf();
    scheduler.replace([checkOf('a', probe, 1000)]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(results.length).toBeGreaterThan(5);
    expect(results[0]?.result).toEqual(failed('checking', 'timed out'));
    scheduler.stop();
  });

  test('one that throws fails, and the others go on', async () => {
    const broken: Probe = { run: () => Promise.reject(new Error('a bug')) };
    const { scheduler, results } = schedulerOf();
    scheduler.replace([checkOf('broken', broken), checkOf('good', fakeProbe(1))]);
    await vi.advanceTimersByTimeAsync(30_000);
    const of = (key: string) => results.filter((one) => one.key === key);
    expect(of('broken')[0]?.result).toEqual(failed('checking', 'the check itself failed: Error: a bug'));
    expect(of('good').length).toBeGreaterThan(5);
    scheduler.stop();
  });

  test('at most so many at once; those that wait get their turn', async () => {
    const probe = fakeProbe(400);
    const { scheduler, results } = schedulerOf(2);
    scheduler.replace(Array.from({ length: 10 }, (_, i) => checkOf(String(i), probe, 5000)));
    let most = 0;
    for (let ms = 0; ms < 30_000; ms += 50) {
      await vi.advanceTimersByTimeAsync(50);
      most = Math.max(most, scheduler.underWay);
    }
    expect(most).toBe(2);
    expect(new Set(results.map((one) => one.key)).size).toBe(10);
    scheduler.stop();
  });

  test('where this process stood still, what it then finds too late says nothing of the peer; once', async () => {
    const probe = fakeProbe(60_000);
    const { scheduler, results } = schedulerOf();
    scheduler.replace([checkOf('a', probe, 1000)]);
    while (probe.starts.length === 0) await vi.advanceTimersByTimeAsync(1);
    // The clock runs on, timers do not: as after SIGSTOP and SIGCONT.
    vi.setSystemTime(Date.now() + 10_000);
    await vi.advanceTimersByTimeAsync(1100);
    expect(probe.aborts).toBe(1);
    expect(results).toEqual([]);
    await vi.advanceTimersByTimeAsync(3000);
    expect(results.length).toBeGreaterThan(0);
    scheduler.stop();
  });
});

describe('other checks', () => {
  test('those that stay keep their time, those that go are let go', async () => {
    const [stays, goes, comes] = [fakeProbe(10), fakeProbe(60_000), fakeProbe(10)];
    const { scheduler, results } = schedulerOf();
    scheduler.replace([checkOf('stays', stays), checkOf('goes', goes)]);
    await vi.advanceTimersByTimeAsync(14_000);
    const before = results.filter((one) => one.key === 'goes').length;
    scheduler.replace([checkOf('stays', stays), checkOf('comes', comes)]);
    await vi.advanceTimersByTimeAsync(20_000);
    for (const gap of gaps(stays.starts).slice(1)) expect(Math.abs(gap - 5000)).toBeLessThanOrEqual(1);
    expect(comes.starts[0]).toBeLessThanOrEqual(15_001);
    expect(results.filter((one) => one.key === 'goes').length).toBe(before);
    scheduler.stop();
    expect(vi.getTimerCount()).toBe(0);
    expect(scheduler.underWay).toBe(0);
  });
});
