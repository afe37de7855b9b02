import { expect, test } from 'vitest';
import { ConnectionNumbers, ConnectionSpans, SPAN } from '../../../src/process/connection-numbers.ts';

test('a worker alone counts 1, 2, … over all its spans', () => {
  const spans = new ConnectionSpans();
  const numbers = new ConnectionNumbers(() => queueMicrotask(() => numbers.take(spans.take())));
  numbers.take(spans.take());
  return Promise.resolve().then(async () => {
    for (let expected = 1; expected <= 3 * SPAN; expected++) {
      const number = numbers.next();
      if (number !== expected) expect(number).toBe(expected);
      if (number % SPAN === 0) await Promise.resolve();
    }
  });
});

test('two workers never give the same number; each asks for a span in time', () => {
  const spans = new ConnectionSpans();
  const seen = new Set<number>();
  const workers = [0, 1].map(() => {
    const worker: ConnectionNumbers = new ConnectionNumbers(() => worker.take(spans.take()));
    worker.take(spans.take());
    return worker;
  });
  for (let i = 0; i < 2 * SPAN + 5; i++) for (const worker of workers) seen.add(worker.next());
  expect(seen.size).toBe(2 * (2 * SPAN + 5));
});

test('without an answer the numbers run on', () => {
  const numbers = new ConnectionNumbers(() => undefined);
  numbers.take(1);
  for (let i = 1; i <= SPAN; i++) numbers.next();
  expect(numbers.next()).toBe(SPAN + 1);
});
