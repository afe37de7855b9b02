/** An address of 4 or 16 bytes as nginx writes it: `10.0.0.1`, `2001:db8::1`, `::ffff:10.0.0.1`. */
export function addressTextOf(bytes: string): string {
  return bytes.length === 4 ? dotted(bytes, 0) : inet6Text(bytes);
}

function dotted(bytes: string, from: number): string {
  return [0, 1, 2, 3].map((i) => bytes.charCodeAt(from + i)).join('.');
}

function inet6Text(bytes: string): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.charCodeAt(i * 2) * 256 + bytes.charCodeAt(i * 2 + 1));
  const { start, length } = longestZeros(groups);
  const isMapped = start === 0 && length === 5 && groups[5] === 0xffff;
  const isCompatible =
    start === 0 && (length === 6 || (length === 7 && bytes.charCodeAt(14) !== 0 && bytes.charCodeAt(15) !== 1));
  const end = isMapped || isCompatible ? 6 : 8;
  let text = start === 0 ? ':' : '';
  for (let i = 0; i < end; i++) {
    if (i === start) {
      text += ':';
      i += length - 1;
      continue;
    }
    text += groups[i]?.toString(16);
    if (i < 7) text += ':';
  }
  return end === 6 ? text + dotted(bytes, 12) : text;
}

/** The first of the longest runs of two zero groups or more; start -1: there is none. */
function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: -1, length: 1 };
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}
