/** Bytes `start` to `end`, the last one included (RFC 9110 section 14.1.2). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const NUMBER = /^[0-9]{1,15}$/;

/**
 * A `Range` field over `length` bytes. Null: not in bytes, or several ranges, which may be answered with the whole.
 * 'none': it cannot be satisfied, or it is written wrongly, which nginx answers likewise with 416.
 */
export function parseByteRange(value: string, length: number): ByteRange | 'none' | null {
  if (value.slice(0, 6).toLowerCase() !== 'bytes=' || value.includes(',')) return null;
  const spec = value.slice(6).trim();
  const dash = spec.indexOf('-');
  if (dash < 0) return 'none';
  const first = spec.slice(0, dash).trim();
  const last = spec.slice(dash + 1).trim();
  if (first === '') {
    if (!NUMBER.test(last) || Number(last) === 0 || length === 0) return 'none';
    return { start: Math.max(length - Number(last), 0), end: length - 1 };
  }
  if (!NUMBER.test(first) || (last !== '' && !NUMBER.test(last))) return 'none';
  const start = Number(first);
  const end = last === '' ? length - 1 : Math.min(Number(last), length - 1);
  return start > end || start >= length ? 'none' : { start, end };
}
