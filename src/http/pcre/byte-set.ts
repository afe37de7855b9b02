/** A set of bytes: 256 flags. What a dot, a class or a literal of a pattern may match. */
export type ByteSet = Uint8Array;

export function emptySet(): ByteSet {
  return new Uint8Array(256);
}

export function setOf(...bytes: number[]): ByteSet {
  const set = emptySet();
  for (const byte of bytes) set[byte] = 1;
  return set;
}

export function setOfRanges(...ranges: readonly (readonly [from: number, to: number])[]): ByteSet {
  const set = emptySet();
  for (const [from, to] of ranges) set.fill(1, from, to + 1);
  return set;
}

/** Adds all of `other` to `set`. */
export function addAll(set: ByteSet, other: ByteSet): void {
  for (let byte = 0; byte < 256; byte++) if (other[byte] === 1) set[byte] = 1;
}

export function inverted(set: ByteSet): ByteSet {
  return set.map((flag) => 1 - flag);
}

/** The set with both cases of its ASCII letters: PCRE's tables in the C locale know no other letters. */
export function caseFolded(set: ByteSet): ByteSet {
  const folded = set.slice();
  for (let upper = 0x41; upper <= 0x5a; upper++) {
    if (set[upper] === 1 || set[upper + 32] === 1) {
      folded[upper] = 1;
      folded[upper + 32] = 1;
    }
  }
  return folded;
}

/** JavaScript source that matches one byte of the set, with any flags but `i` and `v`. */
export function classSource(set: ByteSet): string {
  const size = set.reduce((sum, flag) => sum + flag, 0);
  if (size === 256) return '[^]';
  if (size === 0) return '[]';
  if (size === 1) return byteSource(set.indexOf(1));
  return size > 128 ? `[^${rangesSource(inverted(set))}]` : `[${rangesSource(set)}]`;
}

function rangesSource(set: ByteSet): string {
  let source = '';
  for (let byte = 0; byte < 256; byte++) {
    if (set[byte] === 0) continue;
    const from = byte;
    while (byte < 255 && set[byte + 1] === 1) byte++;
    source += byteSource(from);
    if (byte > from) source += byte > from + 1 ? `-${byteSource(byte)}` : byteSource(byte);
  }
  return source;
}

/** Letters, digits and what never means anything stay as they are; the rest is `\xHH`, or `\` and the character. */
function byteSource(byte: number): string {
  const char = String.fromCharCode(byte);
  if (/[A-Za-z0-9 _"'#%&,:;<=>@`~!]/.test(char)) return char;
  if (/[-^$\\.*+?()[\]{}|/]/.test(char)) return `\\${char}`;
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
