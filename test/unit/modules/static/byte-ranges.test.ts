import { describe, expect, test } from 'vitest';
import { parseByteRanges } from '../../../../src/modules/static/byte-ranges.ts';

const of = (value: string, length = 10, max = Number.POSITIVE_INFINITY) => parseByteRanges(value, length, max);

describe('parseByteRanges', () => {
  test.each<[string, ReturnType<typeof of>]>([
    ['bytes=0-0', [{ start: 0, end: 0 }]],
    ['BYTES=2-', [{ start: 2, end: 9 }]],
    ['bytes=-3', [{ start: 7, end: 9 }]],
    [
      'bytes=0-1, 5-6',
      [
        { start: 0, end: 1 },
        { start: 5, end: 6 },
      ],
    ],
    ['bytes=0-1,50-', [{ start: 0, end: 1 }]],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=5-4', 'unsatisfiable'],
    ['bytes=99999999999999999999-', 'unsatisfiable'],
    ['bytes=', 'whole'],
    ['bytes=x', 'unsatisfiable'],
    ['bytes=1-2,', 'unsatisfiable'],
    ['bytes=0-9,0-9', 'whole'],
    ['chars=1-2', 'whole'],
  ])('%s', (value, expected) => {
    expect(of(value)).toEqual(expected);
  });

  test('more than max_ranges are the whole', () => {
    expect(of('bytes=0-1,3-4', 10, 1)).toBe('whole');
    expect(of('bytes=0-1', 10, 0)).toBe('whole');
  });

  test('many tiny ranges cost no more than the file', () => {
    const value = `bytes=${'0-,'.repeat(500)}0-`;
    expect(of(value)).toBe('whole');
  });
});
