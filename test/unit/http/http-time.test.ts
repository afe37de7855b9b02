import { describe, expect, test } from 'vitest';
import { formatHttpTime, parseHttpTime } from '../../../src/http/http-time.ts';

const SECONDS = 784_111_777;

describe('parseHttpTime', () => {
  test.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    '%s',
    (text) => {
      expect(parseHttpTime(text)).toBe(SECONDS);
    },
  );

  test.each([
    '',
    'yesterday',
    'Sun, 31 Feb 1994 08:49:37 GMT',
    'Sun, 06 Abc 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:49:37 GMT',
  ])('not %j', (text) => {
    expect(parseHttpTime(text)).toBe(-1);
  });

  test('reads what is written', () => {
    expect(formatHttpTime(SECONDS)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
    expect(parseHttpTime(formatHttpTime(1_709_634_030))).toBe(1_709_634_030);
  });
});
