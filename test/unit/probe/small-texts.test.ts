import { describe, expect, test } from 'vitest';
import { sizeText, spanText } from '../../../src/probe/size-text.ts';
import { socketFailure } from '../../../src/probe/socket-failure.ts';
import { hasStatus, parseStatusSet, statusSetText } from '../../../src/probe/status-set.ts';

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 kB'],
  [1_048_576, '1 MB'],
  [300 * 1_048_576, '300 MB'],
  [5e15, '4547 TB'],
])('%d bytes are %s', (bytes, text) => expect(sizeText(bytes)).toBe(text));

test.each([
  [4.4, '4 ms'],
  [1500, '1.5 s'],
  [119_000, '119 s'],
  [600_000, '10 min'],
  [10_800_000, '3.0 h'],
  [864_000_000, '10 days'],
])('%d ms are %s', (ms, text) => expect(spanText(ms)).toBe(text));

describe('why a connection failed', () => {
  test.each([
    [{ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:1' }, 'connection refused'],
    [{ code: 'ENOTFOUND', message: 'getaddrinfo ENOTFOUND x' }, 'host not found'],
    [{ code: 'ECONNRESET' }, 'connection reset by peer'],
    [
      { code: '28P01', message: 'password authentication failed for user "x"' },
      'password authentication failed for user "x"',
    ],
    [
      { code: 'ERR_SSL_WRONG_VERSION_NUMBER', message: '40:error:…', reason: 'wrong version number' },
      'TLS failed: wrong version number',
    ],
    [new Error('two\nlines'), 'two lines'],
    [new Error(''), 'failed without a reason'],
  ])('%j', (error, text) => expect(socketFailure(error)).toBe(text));
});

describe('status codes', () => {
  test.each(['200', '200-399', '200,204,301-302'])('%s', (text) => {
    expect(statusSetText(parseStatusSet(text) ?? [])).toBe(text);
  });
  test.each(['', '99', '600', '2xx', '399-200', '200,', '200-'])('%j is none', (text) => {
    expect(parseStatusSet(text)).toBe(null);
  });
  test('both ends count', () => {
    const set = parseStatusSet('200-299,404') ?? [];
    expect([199, 200, 299, 300, 404].map((status) => hasStatus(set, status))).toEqual([false, true, true, false, true]);
  });
});
