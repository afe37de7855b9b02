import { afterEach, expect, test } from 'vitest';
import { beginTurn, endTurn, forgetTurn, nowMs, turnMs } from '../../../src/core/clock.ts';

afterEach(() => {
  endTurn(false);
});

/** Waits, busily, until the clock shows another instant. */
function tick(): void {
  const before = nowMs();
  while (nowMs() === before);
}

test('within a turn the instant stands still', () => {
  beginTurn();
  const at = turnMs();
  tick();
  expect(turnMs()).toBe(at);
});

test('a turn that is kept goes on with its instant, one that is not asks anew', () => {
  beginTurn();
  const at = turnMs();
  endTurn(true);
  tick();
  beginTurn();
  expect(turnMs()).toBe(at);
  endTurn(false);
  beginTurn();
  expect(turnMs()).toBeGreaterThan(at);
});

test('a turn that is forgotten asks anew, in the midst of it too', () => {
  beginTurn();
  const at = turnMs();
  tick();
  forgetTurn();
  expect(turnMs()).toBeGreaterThan(at);
});

test('outside of turns the instant is always that of the clock, beside a kept one too', () => {
  beginTurn();
  const at = turnMs();
  endTurn(true);
  tick();
  expect(turnMs()).toBeGreaterThan(at);
});
