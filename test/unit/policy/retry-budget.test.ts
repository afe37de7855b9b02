import { describe, expect, test } from 'vitest';
import { RetryBudget } from '../../../src/policy/retry-budget.ts';

const take = (budget: RetryBudget, times: number, nowMs: number): number =>
  Array.from({ length: times }, () => budget.take(nowMs)).filter(Boolean).length;

describe('retry_budget', () => {
  test('a share of the requests of the last ten seconds', () => {
    const budget = new RetryBudget(20);
    for (let i = 0; i < 100; i++) budget.noteRequest(i * 10);
    expect(take(budget, 50, 1000)).toBe(20);
    expect(budget).toMatchObject({ isSpent: true, refused: 30 });
  });

  test('three are always free, for a site that has few requests', () => {
    const budget = new RetryBudget(20);
    budget.noteRequest(0);
    expect(take(budget, 10, 0)).toBe(3);
  });

  test('what was spent comes back when ten seconds are over, and so do the requests go', () => {
    const budget = new RetryBudget(10);
    for (let i = 0; i < 100; i++) budget.noteRequest(500);
    expect(take(budget, 100, 600)).toBe(10);
    expect(take(budget, 1, 9900)).toBe(0);
    expect(take(budget, 100, 10_600)).toBe(3);
    expect(budget.isSpent).toBe(true);
    expect(take(budget, 100, 1_000_000)).toBe(3);
  });

  test('over hours, retries are never more than the share and what is free', () => {
    const budget = new RetryBudget(20);
    let requests = 0;
    let retries = 0;
    for (let ms = 0; ms < 3_600_000; ms += 50) {
      budget.noteRequest(ms);
      requests++;
      // Every request is tried again until it may not be: the harmful one that breaks each backend.
      while (budget.take(ms)) retries++;
    }
    expect(retries / requests).toBeLessThanOrEqual(0.2 + 0.01);
    expect(retries / requests).toBeGreaterThan(0.15);
  });
});
