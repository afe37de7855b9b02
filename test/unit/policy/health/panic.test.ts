import { expect, test } from 'vitest';
import { isPanic } from '../../../../src/policy/health/panic.ts';

test.each([
  [2, 4, 50, false],
  [1, 4, 50, true],
  [0, 4, 50, true],
  [0, 1, 1, true],
  [1, 1, 100, false],
  [0, 0, 100, false],
])('%i of %i up, panic_threshold %i%%: %s', (up, count, threshold, expected) => {
  expect(isPanic(up, count, threshold)).toBe(expected);
});
