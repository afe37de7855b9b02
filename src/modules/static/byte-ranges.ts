import type { ByteRange } from '../../http/byte-range.ts';

const MAX = Number.MAX_SAFE_INTEGER;

/**
 * The ranges of a `Range` field over `length` bytes, in the client's order; `last` is included.
 * 'whole': all of it is to be sent (more ranges than `maxRanges`, or more bytes than there are); 'unsatisfiable': 416.
 */
export function parseByteRanges(
  value: string,
  length: number,
  maxRanges: number,
): readonly ByteRange[] | 'whole' | 'unsatisfiable' {
  if (maxRanges === 0 || value.length < 7 || value.slice(0, 6).toLowerCase() !== 'bytes=') return 'whole';
  const ranges: ByteRange[] = [];
  let total = 0;
  for (const spec of value.slice(6).split(',')) {
    const parts = /^ *(?:([0-9]+) *- *([0-9]*)|-([0-9]+)) *$/.exec(spec);
    if (parts === null) return 'unsatisfiable';
    const [, first, last = '', suffix] = parts;
    const [a, b, c] = [first, last, suffix].map((digits) => Number(digits ?? '0'));
    if ([a, b, c].some((number) => (number ?? 0) > MAX)) return 'unsatisfiable';
    const start = suffix === undefined ? (a ?? 0) : Math.max(length - (c ?? 0), 0);
    const end = suffix === undefined && last !== '' ? Math.min((b ?? 0) + 1, length) : length;
    if (start < end) {
      if (ranges.length === maxRanges) return 'whole';
      ranges.push({ start, end: end - 1 });
      total += end - start;
    } else if (start === 0) return 'whole';
  }
  if (ranges.length === 0) return 'unsatisfiable';
  return total > length ? 'whole' : ranges;
}
