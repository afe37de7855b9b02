import { expect, test } from 'vitest';
import { slowStartWeight } from '../../../../src/policy/health/slow-start.ts';

test.each([
  [4, 0, 30_000, 1 / 256],
  [4, 15_000, 30_000, 2],
  [4, 29_999, 30_000, 4 - 1 / 256],
  [4, 30_000, 30_000, 4],
  [1, 3000, 30_000, 25 / 256],
  [4, -5, 30_000, 1 / 256],
  [4, 0, 0, 4],
])('weight %i, %i ms after it came back, slow_start %i ms: %f', (weight, sinceMs, spanMs, ramped) => {
  expect(slowStartWeight(weight, sinceMs, spanMs)).toBe(ramped);
});

test('it only ever grows, and is never nothing', () => {
  let before = 0;
  for (let ms = 0; ms <= 10_000; ms += 7) {
    const weight = slowStartWeight(3, ms, 10_000);
    expect(weight).toBeGreaterThanOrEqual(before);
    expect(weight).toBeGreaterThan(0);
    before = weight;
  }
});
