import { expect, test } from 'vitest';
import { type Outcome, tally } from '../support/load.ts';
import { ThreeBackends } from './three-backends.ts';

/** GETs may fail only where the answer had begun; nothing may go without an answer. */
function expectOnlyBegunGetsFailed(outcomes: readonly Outcome[]): void {
  const gets = outcomes.filter((outcome) => outcome.method === 'GET' && outcome.status !== 200);
  expect(tally(gets)).toEqual({});
  const unanswered = outcomes.filter((outcome) => !outcome.hasBegun);
  expect(tally(unanswered)).toEqual({});
}

const isServedBy = (name: string) => (outcome: Outcome) => outcome.status === 200 && outcome.body === name;
const failedPosts = (outcomes: readonly Outcome[]): readonly Outcome[] =>
  outcomes.filter((outcome) => outcome.method === 'POST' && outcome.status !== 200);

test('a backend killed with -9: no GET fails, POSTs only where they were under way; it is used again when it is back', async () => {
  const site = await ThreeBackends.start();
  const load = site.load();
  await load.until(isServedBy('b'));
  await load.more(100);
  await site.b.kill();
  await load.more(150);
  const whileGone = load.outcomes.length;
  await load.more(150);
  expect(load.outcomes.slice(whileGone).some(isServedBy('b'))).toBe(false);
  await site.b.comeBack();
  await load.until(isServedBy('b'), 5000);
  await load.more(100);
  const outcomes = await load.stop();
  expectOnlyBegunGetsFailed(outcomes);
  expect(outcomes.every((outcome) => outcome.isComplete || outcome.hasBegun)).toBe(true);
  expect(failedPosts(outcomes).length).toBeLessThanOrEqual(8);
  await expect
    .poll(() => site.proxy.errorLog())
    .toMatch(/connect\(\) failed \(111: Connection refused\)|prematurely closed|104/);
});

test('a backend stopped with SIGSTOP: no GET fails, it is out after the timeout, and used again when it goes on', async () => {
  const site = await ThreeBackends.start();
  const load = site.load();
  await load.until(isServedBy('b'));
  await load.more(100);
  site.b.signal('SIGSTOP');
  await load.more(400);
  site.b.signal('SIGCONT');
  await load.until(isServedBy('b'), 5000);
  await load.more(50);
  const outcomes = await load.stop();
  expectOnlyBegunGetsFailed(outcomes);
  // Eight that were under way, and one trial for each second that it was out.
  const posts = failedPosts(outcomes);
  expect(posts.every((outcome) => outcome.status === 504)).toBe(true);
  expect(posts.length).toBeLessThanOrEqual(16);
  await expect
    .poll(() => site.proxy.errorLog())
    .toContain('upstream timed out (110: Connection timed out) while reading response header');
});

test('a backend that answers 503: no GET sees it; it is used again when it is well', async () => {
  const site = await ThreeBackends.start();
  const load = site.load();
  await load.until(isServedBy('b'));
  await site.b.behave('503');
  await load.more(300);
  await site.b.behave('ok');
  await load.until(isServedBy('b'), 5000);
  const outcomes = await load.stop();
  expectOnlyBegunGetsFailed(outcomes);
  expect(failedPosts(outcomes).every((outcome) => outcome.status === 503)).toBe(true);
});

test('a backend that resets in the middle of its bodies: only those answers break off, and none is made whole', async () => {
  const site = await ThreeBackends.start();
  const load = site.load();
  await load.until(isServedBy('b'));
  await site.b.behave('reset');
  await load.more(200);
  await site.b.behave('ok');
  await load.until(isServedBy('b'), 5000);
  await load.more(50);
  const outcomes = await load.stop();
  expect(tally(outcomes.filter((outcome) => outcome.status !== 200))).toEqual({});
  const broken = outcomes.filter((outcome) => !outcome.isComplete);
  expect(broken.length).toBeGreaterThan(10);
  expect(broken.every((outcome) => outcome.body === 'b' || outcome.body === '')).toBe(true);
  // Those of the others are whole.
  expect(new Set(outcomes.filter((outcome) => outcome.isComplete).map((outcome) => outcome.body))).toEqual(
    new Set(['a', 'b', 'c']),
  );
});

test('two of three killed: the third carries everything; all killed: 502 at once; one back: served again', async () => {
  const site = await ThreeBackends.start();
  const load = site.load({ postEvery: 0 });
  await load.more(50);
  await Promise.all([site.a.kill(), site.b.kill()]);
  await load.more(150);
  expectOnlyBegunGetsFailed(load.outcomes);
  const before = load.outcomes.length;
  await site.c.kill();
  await load.until((outcome) => outcome.status === 502);
  await load.more(50);
  await site.c.comeBack();
  await load.until(isServedBy('c'), 5000);
  const outcomes = (await load.stop()).slice(before);
  expect(outcomes.every((outcome) => outcome.hasBegun)).toBe(true);
  await expect.poll(() => site.proxy.errorLog()).toContain('no live upstreams while connecting to upstream');
});
