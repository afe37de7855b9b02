import { describe, expect, test } from 'vitest';
import { type AttemptReport, decideRetry, RETRY_CONDITIONS, type RetryCondition } from '../../../src/policy/retry.ts';

const QUIET: AttemptReport = {
  end: 'error',
  status: 0,
  isRequestSent: true,
  isNonIdempotent: false,
  isBodyGone: false,
  isHeadSent: false,
  isReused: false,
  isResponseBegun: false,
  tries: 3,
  elapsedMs: 0,
};

/** Words of proxy_next_upstream, what the attempt was like, and what comes of it: next / outcome. */
const TABLE: readonly (readonly [rule: string, report: Partial<AttemptReport>, verdict: string])[] = [
  // failures
  ['error timeout', {}, 'next-peer failed'],
  ['error timeout', { end: 'timeout' }, 'next-peer failed'],
  ['error timeout', { end: 'invalid_header' }, 'give-up failed'],
  ['invalid_header', { end: 'invalid_header' }, 'next-peer failed'],
  ['timeout', {}, 'give-up failed'],
  ['off', {}, 'give-up failed'],
  ['error off', {}, 'give-up failed'],
  ['error', { tries: 1 }, 'give-up failed'],
  ['error', { tries: 2 }, 'next-peer failed'],
  ['error', { elapsedMs: 4999 }, 'next-peer failed'],
  ['error', { elapsedMs: 5000 }, 'give-up failed'],
  // the head is out, or nobody waits
  ['error', { isHeadSent: true }, 'give-up neutral'],
  ['error', { end: 'aborted' }, 'give-up neutral'],
  // what may be sent twice
  ['error', { isNonIdempotent: true }, 'give-up failed'],
  ['error', { isNonIdempotent: true, isRequestSent: false }, 'next-peer failed'],
  ['error non_idempotent', { isNonIdempotent: true }, 'next-peer failed'],
  ['error non_idempotent', { isBodyGone: true }, 'give-up failed'],
  ['error', { isBodyGone: true, isRequestSent: false }, 'next-peer failed'],
  // an idle connection that the peer had closed
  ['error', { isReused: true, tries: 1 }, 'fresh-connection neutral'],
  ['error', { isReused: true, isResponseBegun: true }, 'next-peer failed'],
  ['error', { isReused: true, isNonIdempotent: true }, 'give-up neutral'],
  ['error', { isReused: true, isNonIdempotent: true, isRequestSent: false }, 'fresh-connection neutral'],
  ['off', { isReused: true }, 'give-up neutral'],
  ['error timeout', { isReused: true, end: 'timeout' }, 'next-peer failed'],
  // answers
  ['error', { end: 'status', status: 200 }, 'give-up ok'],
  ['error', { end: 'status', status: 503 }, 'give-up ok'],
  ['http_503', { end: 'status', status: 503 }, 'next-peer failed'],
  ['http_503', { end: 'status', status: 503, tries: 1 }, 'give-up ok'],
  ['http_503', { end: 'status', status: 503, isReused: true }, 'next-peer failed'],
  ['http_503', { end: 'status', status: 503, isNonIdempotent: true }, 'give-up ok'],
  ['http_503 non_idempotent', { end: 'status', status: 503, isNonIdempotent: true }, 'next-peer failed'],
  ['http_503', { end: 'status', status: 503, elapsedMs: 5000 }, 'give-up ok'],
  ['http_500', { end: 'status', status: 500 }, 'next-peer failed'],
  ['http_502', { end: 'status', status: 502 }, 'next-peer failed'],
  ['http_504', { end: 'status', status: 504 }, 'next-peer failed'],
  ['http_429', { end: 'status', status: 429 }, 'next-peer failed'],
  ['http_403', { end: 'status', status: 403 }, 'next-peer ok'],
  ['http_404', { end: 'status', status: 404 }, 'next-peer ok'],
  ['http_404 off', { end: 'status', status: 404 }, 'give-up ok'],
];

function mask(words: string): number {
  return words.split(' ').reduce((bits, word) => bits | RETRY_CONDITIONS[word as RetryCondition], 0);
}

describe('proxy_next_upstream', () => {
  test.each(TABLE)('%s: %j -> %s', (words, report, verdict) => {
    const { next, outcome } = decideRetry(
      { conditions: mask(words), maxTries: 0, timeoutMs: 5000 },
      { ...QUIET, ...report },
    );
    expect(`${next} ${outcome}`).toBe(verdict);
  });

  test('no timeout: 0', () => {
    const verdict = decideRetry({ conditions: mask('error'), maxTries: 0, timeoutMs: 0 }, { ...QUIET, elapsedMs: 1e9 });
    expect(verdict.next).toBe('next-peer');
  });
});
