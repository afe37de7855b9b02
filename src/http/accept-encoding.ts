/**
 * What nginx and the well-known brotli module read of `Accept-Encoding`: not RFC 9110's grammar but a search for the coding's name, and a weight of
 * 0 behind it. `*` and `identity` say nothing.
 */

/** `gzip` is accepted. */
export function acceptsGzip(value: string): boolean {
  if (value.startsWith('gzip,')) return true;
  const text = value.toLowerCase();
  let from = 0;
  for (;;) {
    const at = text.indexOf('gzip', from);
    if (at < 0) return false;
    // nginx takes a name right behind one that did not count, too (`x-gzipgzip`).
    if (at === from || isBoundary(text[at - 1])) return isWeighted(text, at + 4);
    from = at + 4;
  }
}

function isBoundary(char: string | undefined): boolean {
  return char === ',' || char === ' ';
}

/** What stands behind the name: nothing, the next one, or a weight above 0. */
function isWeighted(text: string, start: number): boolean {
  let at = skipSpaces(text, start);
  if (at === text.length || text[at] === ',') return true;
  if (text[at] !== ';') return false;
  at = skipSpaces(text, at + 1);
  if (at === text.length) return true;
  if (text[at] !== 'q' || text[at + 1] !== '=' || at + 2 >= text.length) return false;
  return weight(text, at + 2) > 0;
}

/** In hundredths, roughly as nginx counts: digits behind the point are added up. */
function weight(text: string, start: number): number {
  const first = text[start];
  if (first !== '0' && first !== '1') return 0;
  let sum = first === '1' ? 100 : 0;
  const next = text[start + 1];
  if (next === undefined || isBoundary(next)) return sum;
  if (next !== '.') return 0;
  let digits = 0;
  for (let at = start + 2; at < text.length && !isBoundary(text[at]); at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return 0;
    sum += digit;
    digits++;
  }
  return sum > 100 || digits > 3 ? 0 : sum;
}

function skipSpaces(text: string, start: number): number {
  let at = start;
  while (text[at] === ' ') at++;
  return at;
}

const BROTLI = /(?<=^|[, ])br(?=$|[,; ])/gi;
const ZERO = /^ *; *q *= *0(?!\.[0-9]{0,2}[1-9])/;

/** `br` is accepted. */
export function acceptsBrotli(value: string): boolean {
  for (const match of value.matchAll(BROTLI)) return !ZERO.test(value.slice(match.index + 2));
  return false;
}
