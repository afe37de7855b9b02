import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inTurns, sortSteps } from '../../../../src/modules/autoindex/in-turns.ts';

const isSmaller = (a: number, b: number) => a < b;

describe('work in turns', () => {
  test('sorts as sort does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ max: 100, min: 0 }), { maxLength: 2000, size: 'max' }), async (items) => {
        expect(await inTurns(sortSteps(items, isSmaller), () => true)).toEqual([...items].sort((a, b) => a - b));
      }),
      { numRuns: 30 },
    );
  });

  test('keeps the order of equal items', async () => {
    const items = Array.from({ length: 1000 }, (_, i) => ({ key: i % 3, i }));
    const sorted = await inTurns(
      sortSteps(items, (a, b) => a.key < b.key),
      () => true,
    );
    expect(sorted).toEqual([...items].sort((a, b) => a.key - b.key));
  });

  test('lets others run in between', async () => {
    let turns = 0;
    let isOver = false;
    const count = () => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const items = Array.from({ length: 50_000 }, (_, i) => (i * 7919) % 50_000);
    await inTurns(sortSteps(items, isSmaller), () => true);
    isOver = true;
    expect(turns).toBeGreaterThan(20);
  });

  test('is given up when nobody wants it any more', async () => {
    let steps = 0;
    function* endless() {
      for (;;) {
        steps++;
        yield;
      }
    }
    expect(await inTurns(endless(), () => steps < 10_000)).toBe(null);
    expect(steps).toBeLessThan(20_000);
  });
});
