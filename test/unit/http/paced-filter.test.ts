import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { BodyFilterLink } from '../../../src/http/body-filter.ts';
import { PacedFilter } from '../../../src/http/paced-filter.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A filter of 10 bytes per second whose next one takes everything, or nothing more while `isFull`. */
function begin(afterBytes = 0) {
  const seen = { body: '', resumed: 0, ended: 0, isFull: false };
  const link: BodyFilterLink = {
    sendBody: (chunk) => {
      seen.body += Buffer.from(chunk).toString();
      return !seen.isFull;
    },
    flush: () => true,
    endBody: () => void seen.ended++,
    resume: () => void seen.resumed++,
    fail: () => undefined,
  };
  return { seen, filter: new PacedFilter(link, { bytesPerSec: 10, afterBytes }) };
}

test('what goes on keeps to the rate, in nginx’s steps of a second', () => {
  const { seen, filter } = begin();
  expect(filter.sendBody(Buffer.from('0123456789abcdefghijABCDE'))).toBe(false);
  expect(seen.body).toBe('0123456789');
  vi.advanceTimersByTime(1001);
  expect(seen.body).toBe('0123456789abcdefghij');
  expect(seen.resumed).toBe(0);
  vi.advanceTimersByTime(1001);
  expect(seen.body).toBe('0123456789abcdefghijABCDE');
  expect(seen.resumed).toBe(1);
  expect(filter.sendBody(Buffer.from('x'))).toBe(true);
});

test('limit_rate_after', () => {
  const { seen, filter } = begin(5);
  filter.sendBody(Buffer.from('0123456789abcdefghij'));
  expect(seen.body).toBe('0123456789abcde');
});

test('the end waits for what is left', () => {
  const { seen, filter } = begin();
  filter.sendBody(Buffer.from('0123456789ab'));
  filter.endBody(null);
  expect(seen.ended).toBe(0);
  vi.advanceTimersByTime(1001);
  expect(seen).toMatchObject({ body: '0123456789ab', ended: 1, resumed: 0 });
});

test('a client that is full is waited for', () => {
  const { seen, filter } = begin();
  seen.isFull = true;
  expect(filter.sendBody(Buffer.from('abc'))).toBe(false);
  expect(filter.flush()).toBe(false);
  seen.isFull = false;
  filter.onWritable();
  expect(seen).toMatchObject({ body: 'abc', resumed: 1 });
});

test('closed, it does nothing any more', () => {
  const { seen, filter } = begin();
  filter.sendBody(Buffer.from('0123456789ab'));
  filter.close();
  vi.advanceTimersByTime(5000);
  expect(seen).toMatchObject({ body: '0123456789', resumed: 0 });
  expect(vi.getTimerCount()).toBe(0);
});
