import { ConfigError } from '../../config/diagnostic.ts';
import { toJavaScript } from './javascript-source.ts';
import { notSupported, PatternError } from './pattern-error.ts';
import type { GroupName } from './pattern-node.ts';
import { parsePattern } from './pattern-parser.ts';

export interface PatternOptions {
  /** `~*`. Only ASCII letters have two cases, as in nginx. Default false. */
  readonly caseInsensitive?: boolean;
}

/** A compiled PCRE pattern. Subjects are byte strings. */
export interface Pattern {
  /** The pattern as written. */
  readonly source: string;
  /** Highest capture number. */
  readonly captureCount: number;
  /** Named captures in the order of the pattern. */
  readonly groupNames: readonly GroupName[];
  /** Whether it matches anywhere; cheaper than `exec`. */
  test(subject: string): boolean;
  /** Captures of the first match, numbered as in PCRE ([0] is the whole match); null when there is none. */
  exec(subject: string): (string | undefined)[] | null;
}

/**
 * Compiles a PCRE pattern, as nginx does (8-bit, no UTF), by writing it as a JavaScript one.
 * Throws ConfigError in nginx's words for what PCRE2 or we refuse.
 *
 * Not the same as PCRE:
 * - There is no match limit: a pattern that backtracks without end (`(a+)+$`) takes its time here, where PCRE gives up with an error.
 * - A capture inside a repeated group is forgotten when a later round goes another way: `((a)|b)+` on `ab` has no `$2`, PCRE has `a`.
 * - A reference to a group that took no part (`(?:(a)|b)\1`) matches the empty string, in PCRE it fails.
 */
export function compilePattern(pattern: string, options: PatternOptions = {}): Pattern {
  try {
    const parsed = parsePattern(pattern, options.caseInsensitive === true);
    const { source, captures, isSameNumbering } = toJavaScript(parsed);
    const regex = new RegExp(source);
    const common = { source: pattern, captureCount: parsed.captureCount, groupNames: parsed.groupNames };
    const test = (subject: string): boolean => regex.test(subject);
    if (isSameNumbering) return { ...common, test, exec: (subject) => regex.exec(subject) };
    return { ...common, test, exec: (subject) => renumbered(regex.exec(subject), captures) };
  } catch (error) {
    if (error instanceof PatternError) throw refusal(pattern, error);
    // `(?i:…)` around a back-reference is all that we write and Node before 24 doesn't know.
    if (error instanceof SyntaxError) {
      throw refusal(pattern, notSupported('caseless back-reference', pattern.length));
    }
    throw error;
  }
}

function renumbered(
  match: RegExpExecArray | null,
  captures: readonly (readonly number[])[],
): (string | undefined)[] | null {
  if (match === null) return null;
  return captures.map((numbers, index) => {
    if (index === 0) return match[0];
    for (const number of numbers) if (match[number] !== undefined) return match[number];
    return undefined;
  });
}

/** nginx's text: the rest of the pattern from where it was refused, unless that is its end. */
function refusal(pattern: string, error: PatternError): ConfigError {
  const where = error.offset >= pattern.length ? '' : ` at "${pattern.slice(error.offset)}"`;
  return new ConfigError(`pcre2_compile() failed: ${error.message} in "${pattern}"${where}`);
}
