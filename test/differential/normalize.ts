import { createHash } from 'node:crypto';

/** Text of one side -> text that is the same on both sides when they behave alike. */
export interface Replacement {
  readonly from: RegExp | string;
  readonly to: string;
}

/** What two runs of the same nginx differ in as well. */
const VOLATILE: readonly Replacement[] = [
  { from: /nginx\/\d+\.\d+\.\d+/g, to: 'nginx/N' },
  { from: /\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/g, to: '<http date>' },
  { from: /\b\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}/g, to: '<local time>' },
  { from: /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d/g, to: '<iso time>' },
  { from: /(?<![\d./])\d+\.\d{3}(?![\d.])/g, to: '<seconds>' },
  { from: /(temp|tmp|body)\/[\d/]*\d{10}/g, to: '$1/<temporary file>' },
];

/** For cases with files of both programs' own, which are not of the same second: the time in an ETag. */
export const FILE_TIME: Replacement = { from: /"[0-9a-f]{8}-([0-9a-f]+)"/g, to: '"<time>-$1"' };

/** Lines of the error log that tell of the event mechanism or of clients that left in peace: no promise of ours. */
const NOISE = [
  /closed keepalive connection/,
  /client closed connection while waiting for request/,
  /shutdown\(\) failed/,
];

export function normalize(text: string, own: readonly Replacement[]): string {
  return [...own, ...VOLATILE].reduce((result, { from, to }) => result.replaceAll(from, to), text);
}

/** A number that stands alone: ports. */
export function wholeNumber(number: number, to: string): Replacement {
  return { from: new RegExp(`(?<![\\w.])${number}(?!\\w)`, 'g'), to };
}

/** `2026/01/31 12:00:00 [level] 1#2: *3 text` -> `[level] text`; `undefined` for noise. */
export function normalizeErrorLine(line: string): string | undefined {
  if (NOISE.some((noise) => noise.test(line))) return undefined;
  return line.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d (\[\w+\]) \d+#\d+: (\*\d+ )?/, '$1 ');
}

/** Control and high bytes as escapes, line ends kept readable; long texts as length and digest. */
export function printable(bytes: string): string {
  const cut = bytes.length > 3000 ? `${bytes.slice(0, 200)}… ${bytes.length} bytes, ${digest(bytes)}` : bytes;
  return cut
    .replaceAll('\r\n', '␍\n')
    .replace(/[\x00-\x09\x0b-\x1f\x7f-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function digest(bytes: string): string {
  return createHash('sha1').update(bytes, 'latin1').digest('hex').slice(0, 12);
}
