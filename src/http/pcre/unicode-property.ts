import { type ByteSet, emptySet, inverted } from './byte-set.ts';
import { PatternError } from './pattern-error.ts';

export interface ReadProperty {
  readonly set: ByteSet;
  /** Index behind it. */
  readonly end: number;
}

const CATEGORIES = /^(?:C[cfnos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)$/;

/** PCRE's own properties, and those that JavaScript calls otherwise. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  any: '[^]',
  'l&': '[\\p{Lu}\\p{Ll}\\p{Lt}]',
  lc: '[\\p{Lu}\\p{Ll}\\p{Lt}]',
  xan: '[\\p{L}\\p{N}]',
  xwd: '[\\p{L}\\p{N}_]',
  xsp: '[\\p{Z}\\t\\n\\v\\f\\r\\x85]',
  xps: '[\\p{Z}\\t\\n\\v\\f\\r\\x85]',
};

/**
 * `\pL`, `\p{Lu}`, `\p{^Lu}` or `\P{Lu}` at `at`. Without UTF a byte is the code point of that number, so it is a set of bytes.
 * Letter case in options (`(?i)`) does not matter to it.
 */
export function readProperty(pattern: string, at: number): ReadProperty {
  const found = /^\\[pP](?:([A-Za-z])|\{\s*(\^?)\s*([^}]*)\})/.exec(pattern.slice(at));
  if (found === null) {
    const isUnclosed = pattern[at + 2] === '{';
    throw new PatternError(
      'malformed \\P or \\p sequence',
      isUnclosed ? pattern.length : Math.min(at + 3, pattern.length),
    );
  }
  const end = at + found[0].length;
  const source = sourceOf(found[1] ?? found[3] ?? '');
  if (source === null) throw new PatternError('unknown property after \\P or \\p', end);
  const property = new RegExp(source, 'u');
  const set = emptySet();
  for (let byte = 0; byte < 256; byte++) if (property.test(String.fromCharCode(byte))) set[byte] = 1;
  const isNegated = (pattern[at + 1] === 'P') !== (found[2] === '^');
  return { set: isNegated ? inverted(set) : set, end };
}

/** The property as JavaScript writes it; null when there is none of this name. PCRE2 ignores case, blanks, hyphens and underscores. */
function sourceOf(name: string): string | null {
  const loose = name.toLowerCase().replace(/[\s_-]/g, '');
  const other = OTHER_NAMES[loose];
  if (other !== undefined) return other;
  const category = loose.charAt(0).toUpperCase() + loose.slice(1);
  if (CATEGORIES.test(category)) return `\\p{${category}}`;
  const script = SCRIPTS.get(loose);
  return script === undefined ? null : `\\p{Script=${script}}`;
}

/** Scripts that have bytes, and those that patterns are likely to name; the latter match no byte. */
const SCRIPTS: ReadonlyMap<string, string> = new Map(
  ['Latin', 'Common', 'Greek', 'Cyrillic', 'Han', 'Hebrew', 'Arabic', 'Hiragana', 'Katakana', 'Hangul', 'Thai'].map(
    (script) => [script.toLowerCase(), script],
  ),
);
