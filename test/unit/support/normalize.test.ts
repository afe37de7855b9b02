import { expect, it } from 'vitest';
import { normalize, normalizeErrorLine, printable, wholeNumber } from '../../differential/normalize.ts';

it('makes equal what two runs differ in, and nothing else', () => {
  expect(normalize('Server: nginx/1.22.1', [])).toBe('Server: nginx/N');
  expect(normalize('Date: Mon, 28 Sep 2026 06:00:00 GMT', [])).toBe('Date: <http date>');
  expect(normalize('[28/Sep/2026:06:00:00 +0000] 2026-09-28T06:00:00+00:00', [])).toBe('[<local time>] <iso time>');
  expect(normalize('0.012 1790000000.123 127.0.0.100 HTTP/1.123', [])).toBe(
    '<seconds> <seconds> 127.0.0.100 HTTP/1.123',
  );
  expect(normalize('127.0.0.1:8080 18080 80801 8080', [wholeNumber(8080, 'PORT')])).toBe(
    '127.0.0.1:PORT 18080 80801 PORT',
  );
});

it('strips the error log of time, pid and connection and keeps level and text', () => {
  expect(normalizeErrorLine('2026/01/31 12:00:00 [error] 12#12: *7 text, client: 127.0.0.1')).toBe(
    '[error] text, client: 127.0.0.1',
  );
  expect(normalizeErrorLine('2026/01/31 12:00:00 [notice] 12#0: text')).toBe('[notice] text');
  expect(
    normalizeErrorLine('2026/01/31 12:00:00 [info] 12#12: *7 client 127.0.0.1 closed keepalive connection'),
  ).toBeUndefined();
});

it('shows control bytes, and long texts by length and digest', () => {
  expect(printable('a\x00\xe9b\r\nc')).toBe('a\\x00\\xe9b␍\nc');
  const long = [printable('x'.repeat(5000)), printable(`${'x'.repeat(4999)}y`)];
  expect(long[0]).toContain('5000 bytes');
  expect(long[0]).not.toBe(long[1]);
});
