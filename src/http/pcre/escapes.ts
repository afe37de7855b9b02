import { type ByteSet, inverted, setOf, setOfRanges } from './byte-set.ts';

const DIGITS = setOfRanges([0x30, 0x39]);
const WORD = setOfRanges([0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]);
const SPACE = setOfRanges([0x09, 0x0d], [0x20, 0x20]);
const HORIZONTAL = setOf(0x09, 0x20, 0xa0);
const VERTICAL = setOf(0x0a, 0x0b, 0x0c, 0x0d, 0x85);

/** `\d` and the like: ASCII only, as PCRE without UCP. */
export const ESCAPED_SETS: Readonly<Record<string, ByteSet>> = {
  d: DIGITS,
  D: inverted(DIGITS),
  w: WORD,
  W: inverted(WORD),
  s: SPACE,
  S: inverted(SPACE),
  h: HORIZONTAL,
  H: inverted(HORIZONTAL),
  v: VERTICAL,
  V: inverted(VERTICAL),
};

export const WORD_SET: ByteSet = WORD;
export const VERTICAL_SET: ByteSet = VERTICAL;
export const NOT_NEWLINE: ByteSet = inverted(setOf(0x0a));

/** `\n` and the like. */
export const ESCAPED_BYTES: Readonly<Record<string, number>> = {
  a: 0x07,
  e: 0x1b,
  f: 0x0c,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
};

/** `[:alpha:]` and the like, in the C locale. */
export const POSIX_SETS: Readonly<Record<string, ByteSet>> = {
  alpha: setOfRanges([0x41, 0x5a], [0x61, 0x7a]),
  lower: setOfRanges([0x61, 0x7a]),
  upper: setOfRanges([0x41, 0x5a]),
  alnum: setOfRanges([0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a]),
  ascii: setOfRanges([0x00, 0x7f]),
  blank: setOf(0x09, 0x20),
  cntrl: setOfRanges([0x00, 0x1f], [0x7f, 0x7f]),
  digit: DIGITS,
  graph: setOfRanges([0x21, 0x7e]),
  print: setOfRanges([0x20, 0x7e]),
  punct: setOfRanges([0x21, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0x7e]),
  space: SPACE,
  word: WORD,
  xdigit: setOfRanges([0x30, 0x39], [0x41, 0x46], [0x61, 0x66]),
};
