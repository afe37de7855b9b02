import { expect, test } from 'vitest';
import { FloodGuard } from '../../../src/h2/flood-guard.ts';
import { DEFAULT_HTTP2 } from '../../../src/http/http2-settings.ts';

const guard = (resets: number, frames: number) =>
  new FloodGuard({ ...DEFAULT_HTTP2, maxResetsPerSec: resets, maxControlFramesPerSec: frames });

test('so many resets and frames within a second, and a new second begins anew', () => {
  const one = guard(2, 3);
  expect([one.reset(0, 0), one.reset(10, 0), one.reset(20, 0)]).toEqual([null, null, 'resets']);
  expect(one.reset(1000, 0)).toBeNull();
  expect([1, 2, 3, 4].map(() => one.controlFrame(1001, 0))).toEqual([null, null, null, 'control frames']);
});

test('0 is no limit', () => {
  const one = guard(0, 0);
  for (let i = 0; i < 10_000; i++) expect(one.reset(0, 0) ?? one.controlFrame(0, 0)).toBeNull();
  expect(one.check(0, 1e9)).toBeNull();
});

test('bytes that belong to no message are bounded for each second', () => {
  const one = guard(1, 10);
  expect(one.check(0, 100)).toBeNull();
  expect(one.check(1000, 700)).toBeNull();
  expect(one.check(2000, 1500)).toBe('bytes that belong to no request');
});

test('messages, and updates for what was sent, are no flood; nor is a long silence', () => {
  const one = guard(1, 10);
  one.check(0, 0);
  one.message(1_000_000);
  expect(one.check(1000, 1_000_000)).toBeNull();
  one.sent(64_000_000);
  expect(one.check(2000, 2_000_000)).toBeNull();
  expect(one.check(62_000, 2_030_000)).toBeNull();
});
