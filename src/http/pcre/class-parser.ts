import { addAll, type ByteSet, caseFolded, emptySet, inverted, setOf, setOfRanges } from './byte-set.ts';
import { ESCAPED_SETS, POSIX_SETS } from './escapes.ts';
import { type LiteralEscape, readLiteralEscape } from './literal-escape.ts';
import { PatternError } from './pattern-error.ts';
import { readProperty } from './unicode-property.ts';

export interface ClassOptions {
  readonly ignoresCase: boolean;
  /** `(?xx)`: unescaped spaces and tabs in a class mean nothing. */
  readonly skipsBlanks: boolean;
}

export interface ReadClass {
  readonly set: ByteSet;
  /** Index behind the `]`. */
  readonly end: number;
}

/** One member of a class: a byte, that may begin or end a range, or a whole set, that may not. `hasCase`: `(?i)` does not matter to it. */
type Member =
  | { readonly byte: number; readonly end: number }
  | { readonly set: ByteSet; readonly end: number; readonly hasCase?: boolean };

/** The class whose `[` stands at `start`. */
export function readClass(pattern: string, start: number, options: ClassOptions): ReadClass {
  const posix = posixNameAt(pattern, start);
  if (posix !== null) throw new PatternError('POSIX named classes are supported only within a class', start);
  return new ClassReader(pattern, start + 1, options).read();
}

class ClassReader {
  readonly #pattern: string;
  readonly #options: ClassOptions;
  #at: number;
  #isQuoted = false;
  readonly #caseSensitive = emptySet();

  constructor(pattern: string, at: number, options: ClassOptions) {
    this.#pattern = pattern;
    this.#at = at;
    this.#options = options;
  }

  read(): ReadClass {
    const set = emptySet();
    this.#skip();
    const isNegated = !this.#isQuoted && this.#pattern[this.#at] === '^';
    if (isNegated) this.#at++;
    // A `]` that comes first stands for itself.
    for (let isFirst = true; ; isFirst = false) {
      this.#skip();
      if (this.#at >= this.#pattern.length) throw this.#unclosed();
      if (this.#pattern[this.#at] === ']' && !isFirst && !this.#isQuoted) break;
      this.#readItem(set);
    }
    const folded = this.#options.ignoresCase ? caseFolded(set) : set;
    addAll(folded, this.#caseSensitive);
    return { set: isNegated ? inverted(folded) : folded, end: this.#at + 1 };
  }

  /** A byte, a set, or a range. */
  #readItem(set: ByteSet): void {
    const first = this.#readMember();
    this.#at = first.end;
    if ('set' in first) addAll(first.hasCase === true ? this.#caseSensitive : set, first.set);
    const hyphenAt = this.#at;
    this.#skip();
    const isRange = !this.#isQuoted && this.#pattern[this.#at] === '-' && this.#hasRangeEnd();
    if (!isRange) {
      if ('byte' in first) set[first.byte] = 1;
      return;
    }
    if ('set' in first) throw new PatternError('invalid range in character class', hyphenAt);
    this.#at++;
    this.#skip();
    const last = this.#readMember();
    if ('set' in last) throw new PatternError('invalid range in character class', last.end);
    if (last.byte < first.byte) throw new PatternError('range out of order in character class', last.end - 1);
    addAll(set, setOfRanges([first.byte, last.byte]));
    this.#at = last.end;
  }

  /** A hyphen before the closing `]` stands for itself. */
  #hasRangeEnd(): boolean {
    let next = this.#at + 1;
    while (this.#options.skipsBlanks && (this.#pattern[next] === ' ' || this.#pattern[next] === '\t')) next++;
    while (this.#pattern.startsWith('\\E', next)) next += 2;
    return next < this.#pattern.length && this.#pattern[next] !== ']';
  }

  #readMember(): Member {
    const pattern = this.#pattern;
    const at = this.#at;
    if (at >= pattern.length) throw this.#unclosed();
    if (!this.#isQuoted && pattern[at] === '[') {
      const posix = posixNameAt(pattern, at);
      if (posix !== null) return readPosix(posix, at);
    }
    if (this.#isQuoted || pattern[at] !== '\\') return { byte: pattern.charCodeAt(at), end: at + 1 };
    const letter = pattern.charAt(at + 1);
    if (letter === 'b') return { byte: 0x08, end: at + 2 };
    const set = ESCAPED_SETS[letter];
    if (set !== undefined) return { set, end: at + 2 };
    if (letter === 'p' || letter === 'P') return { ...readProperty(pattern, at), hasCase: true };
    if (letter === 'N') throw new PatternError('\\N is not supported in a class', at + 2);
    if (letter === 'B' || letter === 'R' || letter === 'X') {
      throw new PatternError('escape sequence is invalid in character class', at + 1);
    }
    const literal: LiteralEscape = readLiteralEscape(pattern, at, true);
    return { byte: literal.byte, end: literal.end };
  }

  /** Passes over `\Q`, `\E` and, with `xx`, blanks. */
  #skip(): void {
    for (;;) {
      if (this.#pattern.startsWith('\\E', this.#at)) {
        this.#isQuoted = false;
        this.#at += 2;
      } else if (!this.#isQuoted && this.#pattern.startsWith('\\Q', this.#at)) {
        this.#isQuoted = true;
        this.#at += 2;
      } else if (
        this.#options.skipsBlanks &&
        !this.#isQuoted &&
        (this.#pattern[this.#at] === ' ' || this.#pattern[this.#at] === '\t')
      ) {
        this.#at++;
      } else {
        return;
      }
    }
  }

  #unclosed(): PatternError {
    return new PatternError('missing terminating ] for character class', this.#pattern.length);
  }
}

interface PosixName {
  readonly delimiter: string;
  readonly name: string;
  readonly end: number;
}

/** `[:name:]`, `[.name.]` or `[=name=]` at `at`; null when it is none. */
function posixNameAt(pattern: string, at: number): PosixName | null {
  const found = /^\[([:.=])([^\]\\]*?)\1\]/.exec(pattern.slice(at));
  if (found === null) return null;
  return { delimiter: found[1] ?? '', name: found[2] ?? '', end: at + found[0].length };
}

function readPosix(posix: PosixName, at: number): Member {
  if (posix.delimiter !== ':') throw new PatternError('POSIX collating elements are not supported', at);
  const isNegated = posix.name.startsWith('^');
  const set = POSIX_SETS[isNegated ? posix.name.slice(1) : posix.name];
  if (set === undefined) throw new PatternError('unknown POSIX class name', at + 2);
  return { set: isNegated ? inverted(set) : set, end: posix.end };
}

/** The set of one byte, in both cases when asked. */
export function byteSet(byte: number, ignoresCase: boolean): ByteSet {
  return ignoresCase ? caseFolded(setOf(byte)) : setOf(byte);
}
