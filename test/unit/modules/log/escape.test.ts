import { describe, expect, test } from 'vitest';
import { ESCAPERS, type LogEscape } from '../../../../src/modules/log/log-escape.ts';

const PRINTABLE = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
const HIGH = Array.from({ length: 129 }, (_, i) => String.fromCharCode(127 + i)).join('');
const CONTROLS = Array.from({ length: 32 }, (_, i) => String.fromCharCode(i)).join('');

const hex = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => `\\x${(from + i).toString(16).toUpperCase().padStart(2, '0')}`).join(
    '',
  );

/** As nginx 1.22 wrote `$uri` of a request with every byte but NUL, which it refuses. */
const rows: readonly (readonly [escaping: LogEscape, bytes: string, written: string])[] = [
  ['default', CONTROLS, hex(0, 31)],
  ['default', PRINTABLE, PRINTABLE.split('\\').join('\\x5C').replace('"', '\\x22')],
  ['default', HIGH, hex(127, 255)],
  [
    'json',
    CONTROLS,
    '\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000B\\f\\r\\u000E\\u000F' +
      '\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001A\\u001B\\u001C\\u001D\\u001E\\u001F',
  ],
  ['json', 'a"b\\c/', 'a\\"b\\\\c/'],
  ['json', HIGH, HIGH],
  ['none', CONTROLS + PRINTABLE + HIGH, CONTROLS + PRINTABLE + HIGH],
];

describe('every byte', () => {
  for (const [escaping, bytes, written] of rows) {
    test(`escape=${escaping} of ${JSON.stringify(bytes.slice(0, 4))}…`, () => {
      expect(ESCAPERS[escaping](bytes)).toBe(written);
    });
  }
});

test('what is not there', () => {
  expect(ESCAPERS.default(null)).toBe('-');
  expect(ESCAPERS.default('')).toBe('');
  expect(ESCAPERS.json(null)).toBe('');
  expect(ESCAPERS.none(null)).toBe('');
});
