import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { nowMs } from '../../../src/core/clock.ts';
import { type Deadlined, Deadlines } from '../../../src/core/deadlines.ts';

function item(onDeadline: () => void = () => undefined): Deadlined & { readonly calls: number } {
  let calls = 0;
  return {
    deadlineAtMs: Number.POSITIVE_INFINITY,
    sweepIndex: -1,
    onDeadline() {
      calls++;
      onDeadline();
    },
    get calls() {
      return calls;
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('runs each deadline once, soon after its instant, whatever the order they were set in', () => {
  const deadlines = new Deadlines(nowMs);
  const [late, early] = [item(), item()];
  deadlines.set(late, nowMs() + 1000);
  deadlines.set(early, nowMs() + 100);
  vi.advanceTimersByTime(99);
  expect([early.calls, late.calls]).toEqual([0, 0]);
  vi.advanceTimersByTime(20);
  expect([early.calls, late.calls]).toEqual([1, 0]);
  vi.advanceTimersByTime(5000);
  expect([early.calls, late.calls]).toEqual([1, 1]);
});

it('follows a deadline that moves, is cleared or is removed', () => {
  const deadlines = new Deadlines(nowMs);
  const [moved, cleared, removed] = [item(), item(), item()];
  for (const one of [moved, cleared, removed]) deadlines.set(one, nowMs() + 100);
  deadlines.set(moved, nowMs() + 500);
  deadlines.clear(cleared);
  deadlines.remove(removed);
  vi.advanceTimersByTime(400);
  expect([moved.calls, cleared.calls, removed.calls]).toEqual([0, 0, 0]);
  vi.advanceTimersByTime(200);
  expect([moved.calls, cleared.calls, removed.calls]).toEqual([1, 0, 0]);
  expect(deadlines.size).toBe(2);
});

it('lets one deadline end or prolong another of the same sweep', () => {
  const deadlines = new Deadlines(nowMs);
  const [second, third] = [item(), item()];
  const first = item(() => {
    deadlines.remove(second);
    deadlines.set(third, nowMs() + 1000);
  });
  for (const one of [first, second, third]) deadlines.set(one, nowMs() + 50);
  vi.advanceTimersByTime(100);
  expect([first.calls, second.calls, third.calls]).toEqual([1, 0, 0]);
  vi.advanceTimersByTime(1100);
  expect(third.calls).toBe(1);
});

it('wakes for a deadline beyond its longest sleep', () => {
  const deadlines = new Deadlines(nowMs);
  const far = item();
  deadlines.set(far, nowMs() + 200_000);
  vi.advanceTimersByTime(199_000);
  expect(far.calls).toBe(0);
  vi.advanceTimersByTime(2000);
  expect(far.calls).toBe(1);
});
