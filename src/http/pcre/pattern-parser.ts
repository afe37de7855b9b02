import { setOf, setOfRanges } from './byte-set.ts';
import { byteSet, readClass } from './class-parser.ts';
import { ESCAPED_SETS, NOT_NEWLINE, VERTICAL_SET } from './escapes.ts';
import { readLiteralEscape } from './literal-escape.ts';
import { notSupported, PatternError } from './pattern-error.ts';
import type { Assertion, GroupName, ParsedPattern, PatternNode, RepeatMode } from './pattern-node.ts';
import { readProperty } from './unicode-property.ts';

/** Options that `(?imsx)` switches, for the rest of the group. */
interface Options {
  ignoresCase: boolean;
  isMultiline: boolean;
  dotMatchesNewline: boolean;
  isExtended: boolean;
  isExtendedMore: boolean;
  capturesOnlyNamed: boolean;
  isUngreedy: boolean;
  allowsDuplicateNames: boolean;
}

const OPTION_LETTERS: Readonly<Record<string, keyof Options>> = {
  i: 'ignoresCase',
  m: 'isMultiline',
  s: 'dotMatchesNewline',
  x: 'isExtended',
  n: 'capturesOnlyNamed',
  U: 'isUngreedy',
  J: 'allowsDuplicateNames',
};

const MAX_REPEAT = 65_535;
const MAX_NAME_CHARS = 32;
const EMPTY: PatternNode = { kind: 'sequence', items: [] };
const BYTE_MAX = 0xff;

/** Reads a PCRE2 pattern as nginx compiles it: 8-bit, no UTF, no UCP. Throws PatternError with PCRE2's words. */
export function parsePattern(pattern: string, ignoresCase: boolean): ParsedPattern {
  return new PatternParser(pattern, ignoresCase).parse();
}

/** A reference by number or name, whose groups may come later in the pattern. */
interface PendingReference {
  readonly node: { indexes: number[] };
  readonly target: number | string;
  readonly offset: number;
  /** Groups that ended before the reference. */
  readonly closed: ReadonlySet<number>;
}

class PatternParser {
  readonly #pattern: string;
  #at = 0;
  #options: Options;
  #captureCount = 0;
  #isQuoted = false;
  readonly #names: GroupName[] = [];
  readonly #closed = new Set<number>();
  readonly #references: PendingReference[] = [];

  constructor(pattern: string, ignoresCase: boolean) {
    this.#pattern = pattern;
    this.#options = {
      ignoresCase,
      isMultiline: false,
      dotMatchesNewline: false,
      isExtended: false,
      isExtendedMore: false,
      capturesOnlyNamed: false,
      isUngreedy: false,
      allowsDuplicateNames: false,
    };
  }

  parse(): ParsedPattern {
    const verb = /^\(\*([A-Z0-9_]+)[)=:]/.exec(this.#pattern);
    if (verb !== null) throw notSupported(`(*${verb[1]})`, 2);
    const root = this.#readChoice();
    if (this.#at < this.#pattern.length) throw this.#error('unmatched closing parenthesis');
    this.#resolveReferences();
    return { root, captureCount: this.#captureCount, groupNames: this.#names };
  }

  // -- alternatives and sequences ------------------------------------------------------------------------------------

  /** Alternatives up to `)` or the end. With `resets`, every branch numbers its captures from the same start: `(?|`. */
  #readChoice(resets = false): PatternNode {
    const first = this.#captureCount;
    let last = first;
    const branches: PatternNode[] = [];
    for (;;) {
      branches.push(this.#readSequence());
      last = Math.max(last, this.#captureCount);
      if (this.#peek() !== '|') break;
      this.#at++;
      if (resets) this.#captureCount = first;
    }
    this.#captureCount = last;
    return branches.length === 1 ? (branches[0] ?? EMPTY) : { kind: 'choice', branches };
  }

  #readSequence(): PatternNode {
    const items: PatternNode[] = [];
    for (;;) {
      this.#skipIgnored();
      const char = this.#peek();
      if (char === undefined || (!this.#isQuoted && (char === '|' || char === ')'))) break;
      const start = this.#at;
      const item = this.#readItem(char);
      if (item === null) continue;
      items.push(this.#readRepeats(item, start));
    }
    return items.length === 1 ? (items[0] ?? EMPTY) : { kind: 'sequence', items };
  }

  /** `\Q`, `\E`, `(?#…)`, and in extended mode blanks and comments. */
  #skipIgnored(): void {
    const pattern = this.#pattern;
    for (;;) {
      const char = pattern[this.#at];
      if (pattern.startsWith('\\E', this.#at)) {
        this.#isQuoted = false;
        this.#at += 2;
      } else if (this.#isQuoted) {
        return;
      } else if (pattern.startsWith('\\Q', this.#at)) {
        this.#isQuoted = true;
        this.#at += 2;
      } else if (pattern.startsWith('(?#', this.#at)) {
        const end = pattern.indexOf(')', this.#at);
        if (end < 0) throw new PatternError('missing ) after (?# comment', pattern.length);
        this.#at = end + 1;
      } else if (this.#options.isExtended && char !== undefined && /[\t-\r ]/.test(char)) {
        this.#at++;
      } else if (this.#options.isExtended && char === '#') {
        const end = pattern.indexOf('\n', this.#at);
        this.#at = end < 0 ? pattern.length : end + 1;
      } else {
        return;
      }
    }
  }

  /** One item without its quantifier; null for what leaves nothing behind (an option setting). */
  #readItem(char: string): PatternNode | null {
    const options = this.#options;
    if (this.#isQuoted) return this.#literal();
    switch (char) {
      case '\\':
        return this.#readEscape();
      case '[': {
        const found = readClass(this.#pattern, this.#at, {
          ignoresCase: options.ignoresCase,
          skipsBlanks: options.isExtendedMore,
        });
        this.#at = found.end;
        return { kind: 'set', set: found.set };
      }
      case '(':
        return this.#readParenthesis();
      case '.':
        this.#at++;
        return { kind: 'set', set: options.dotMatchesNewline ? setOfRanges([0, BYTE_MAX]) : NOT_NEWLINE };
      case '^':
        return this.#assertion(1, options.isMultiline ? 'line-start' : 'start');
      case '$':
        return this.#assertion(1, options.isMultiline ? 'line-end' : 'end');
      case '*':
      case '+':
      case '?':
        throw notRepeatable(this.#at);
      case '{': {
        const quantifier = this.#quantifierAt();
        if (quantifier !== null) throw notRepeatable(quantifier.end - 1);
        return this.#literal();
      }
      default:
        return this.#literal();
    }
  }

  #literal(): PatternNode {
    const byte = this.#pattern.charCodeAt(this.#at++);
    return { kind: 'set', set: byteSet(byte, this.#options.ignoresCase) };
  }

  #assertion(length: number, assertion: Assertion): PatternNode {
    this.#at += length;
    return { kind: 'assertion', assertion };
  }

  // -- quantifiers ---------------------------------------------------------------------------------------------------

  #readRepeats(item: PatternNode, itemStart: number): PatternNode {
    if (this.#isQuoted && this.#pattern[itemStart] !== '(') {
      // Inside \Q…\E nothing repeats; behind the \E the last character does.
      if (!this.#pattern.startsWith('\\E', this.#at)) return item;
    }
    this.#skipIgnored();
    if (this.#isQuoted) return item;
    const found = this.#quantifierAt();
    if (found === null) return item;
    if (item.kind === 'assertion') throw notRepeatable(found.end - 1);
    this.#at = found.end;
    if (this.#options.isExtended) this.#skipIgnored();
    let mode: RepeatMode = this.#options.isUngreedy ? 'lazy' : 'greedy';
    if (this.#peek() === '?') {
      mode = mode === 'lazy' ? 'greedy' : 'lazy';
      this.#at++;
    } else if (this.#peek() === '+') {
      mode = 'possessive';
      this.#at++;
    }
    // A second quantifier is then refused as one without an item.
    return { kind: 'repeat', body: item, min: found.min, max: found.max, mode };
  }

  #quantifierAt(): { min: number; max: number; end: number } | null {
    const at = this.#at;
    switch (this.#pattern[at]) {
      case '*':
        return { min: 0, max: Number.POSITIVE_INFINITY, end: at + 1 };
      case '+':
        return { min: 1, max: Number.POSITIVE_INFINITY, end: at + 1 };
      case '?':
        return { min: 0, max: 1, end: at + 1 };
      case '{':
        break;
      default:
        return null;
    }
    const found = /^\{(\d+)(,(\d*))?\}/.exec(this.#pattern.slice(at));
    if (found === null) return null;
    const end = at + found[0].length;
    const min = Number(found[1]);
    const max = found[2] === undefined ? min : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3]);
    if (min > MAX_REPEAT || (max > MAX_REPEAT && max !== Number.POSITIVE_INFINITY)) {
      throw new PatternError('number too big in {} quantifier', end - 1);
    }
    if (max < min) throw new PatternError('numbers out of order in {} quantifier', end - 1);
    return { min, max, end };
  }

  // -- escapes -------------------------------------------------------------------------------------------------------

  #readEscape(): PatternNode {
    const at = this.#at;
    const letter = this.#pattern.charAt(at + 1);
    const set = ESCAPED_SETS[letter];
    if (set !== undefined) {
      this.#at += 2;
      return { kind: 'set', set };
    }
    switch (letter) {
      case 'A':
      // nginx matches from offset 0 only, where \G is the start of the subject.
      case 'G':
        return this.#assertion(2, 'start');
      case 'z':
        return this.#assertion(2, 'very-end');
      case 'Z':
        return this.#assertion(2, 'end');
      case 'b':
        return this.#assertion(2, 'word-boundary');
      case 'B':
        return this.#assertion(2, 'no-word-boundary');
      case 'N':
        return this.#readNotNewline();
      case 'R':
        this.#at += 2;
        return newlineSequence();
      case 'K':
        throw notSupported('\\K (reset of the match start)', at + 2);
      case 'C':
        throw notSupported('\\C (single code unit)', at + 2);
      case 'X':
        throw notSupported('\\X (grapheme cluster)', at + 2);
      case 'p':
      case 'P': {
        const property = readProperty(this.#pattern, at);
        this.#at = property.end;
        return { kind: 'set', set: property.set };
      }
      case 'g':
        return this.#readG();
      case 'k':
        return this.#readK();
      default:
        return this.#readNumberedOrLiteral();
    }
  }

  /** `\N`: anything but a newline; `\N{U+…}` belongs to UTF. */
  #readNotNewline(): PatternNode {
    const at = this.#at;
    if (/^\\N\{(?!\d+(?:,\d*)?\})/.test(this.#pattern.slice(at))) {
      throw this.#pattern.startsWith('U+', at + 3)
        ? new PatternError('\\N{U+dddd} is supported only in Unicode (UTF) mode', at + 2)
        : new PatternError('PCRE2 does not support \\F, \\L, \\l, \\N{name}, \\U, or \\u', at + 2);
    }
    this.#at += 2;
    return { kind: 'set', set: NOT_NEWLINE };
  }

  #readNumberedOrLiteral(): PatternNode {
    const at = this.#at;
    const digits = /^[1-9]\d*/.exec(this.#pattern.slice(at + 1))?.[0];
    if (digits !== undefined) {
      const number = Number(digits);
      if (number < 10 || /^[89]/.test(digits) || number <= this.#captureCount) {
        this.#at += 1 + digits.length;
        return this.#reference(number, this.#at - 1);
      }
    }
    const literal = readLiteralEscape(this.#pattern, at, false);
    this.#at = literal.end;
    return { kind: 'set', set: byteSet(literal.byte, this.#options.ignoresCase) };
  }

  /** `\g1`, `\g{1}`, `\g{-1}`, `\g{name}`; `\g<…>` and `\g'…'` call a group. */
  #readG(): PatternNode {
    const at = this.#at;
    const rest = this.#pattern.slice(at + 2);
    if (/^[<']/.test(rest)) throw notSupported('\\g<…> (subroutine call)', at + 2);
    const found = /^(?:([-+]?\d+)|\{([-+]?\d+)\}|\{([A-Za-z_]\w*)\})/.exec(rest);
    if (found === null) {
      throw new PatternError(
        '\\g is not followed by a braced, angle-bracketed, or quoted name/number or by a plain number',
        at + 2,
      );
    }
    this.#at += 2 + found[0].length;
    const name = found[3];
    if (name !== undefined) return this.#reference(name, at + 3);
    return this.#reference(this.#absolute(found[1] ?? found[2] ?? '', at + 2), this.#at - 1);
  }

  #absolute(text: string, offset: number): number {
    const number = Number(text);
    if (text.startsWith('-')) {
      if (-number > this.#captureCount) throw new PatternError('reference to non-existent subpattern', offset);
      return this.#captureCount + 1 + number;
    }
    if (text.startsWith('+')) return this.#captureCount + number;
    if (number === 0) throw notSupported('\\g{0}', offset);
    return number;
  }

  /** `\k<name>`, `\k'name'`, `\k{name}`. */
  #readK(): PatternNode {
    const at = this.#at;
    const found = /^(?:<(\w+)>|'(\w+)'|\{(\w+)\})/.exec(this.#pattern.slice(at + 2));
    if (found === null) {
      throw new PatternError('\\k is not followed by a braced, angle-bracketed, or quoted name', at + 2);
    }
    this.#at += 2 + found[0].length;
    return this.#reference(found[1] ?? found[2] ?? found[3] ?? '', at + 3);
  }

  #reference(target: number | string, offset: number): PatternNode {
    const node = { kind: 'back-reference' as const, indexes: [] as number[], ignoresCase: this.#options.ignoresCase };
    this.#references.push({ node, target, offset, closed: new Set(this.#closed) });
    return node;
  }

  #resolveReferences(): void {
    for (const { node, target, offset, closed } of this.#references) {
      if (typeof target === 'number') {
        if (target <= this.#captureCount) node.indexes.push(target);
      } else {
        for (const { name, index } of this.#names) if (name === target) node.indexes.push(index);
      }
      if (node.indexes.length === 0) throw new PatternError('reference to non-existent subpattern', offset);
      // Unset there: PCRE doesn't match then, JavaScript matches the empty string.
      if (!node.indexes.some((index) => closed.has(index))) throw notSupported('reference to a later group', offset);
    }
  }

  // -- parentheses ---------------------------------------------------------------------------------------------------

  #readParenthesis(): PatternNode | null {
    const start = this.#at;
    const pattern = this.#pattern;
    const next = pattern[start + 1];
    if (next === '*') throw verbError(pattern, start);
    if (next !== '?') {
      this.#at++;
      return this.#options.capturesOnlyNamed ? this.#readGroup(asGroup) : this.#readCapture(null, 0);
    }
    const kind = pattern.slice(start + 2);
    const name = /^(?:P?<(?![=!*])|')/.exec(kind);
    if (name !== null) return this.#readNamed(start + 2 + name[0].length);
    this.#at += 3;
    switch (kind[0]) {
      case undefined:
        throw new PatternError('missing closing parenthesis', pattern.length);
      case ':':
        return this.#readGroup(asGroup);
      case '|':
        return this.#readGroup(asGroup, true);
      case '>':
        return this.#readGroup((body) => ({ kind: 'atomic', body }));
      case '=':
        return this.#readLook(false, false);
      case '!':
        return this.#readLook(false, true);
      case '*':
        throw notSupported('(?* (non-atomic assertion)', start + 3);
      case '<':
        this.#at++;
        if (kind[1] === '*') throw notSupported('(?<* (non-atomic assertion)', start + 4);
        return this.#readLook(true, kind[1] === '!', start);
      case 'P':
        return this.#readP(start);
      case '(':
        throw notSupported('(?(…) (conditional group)', start + 2);
      case 'R':
        throw notSupported('(?R) (recursion)', start + 2);
      case '&':
        throw notSupported('(?& (subroutine call)', start + 2);
      case 'C':
        throw notSupported('(?C) (callout)', start + 2);
      default:
        if (/^[-+]?\d/.test(kind)) throw notSupported('(?n) (subroutine call)', start + 2);
        this.#at = start + 2;
        return this.#readOptions();
    }
  }

  /** `(?P=name)` and `(?P>name)`. */
  #readP(start: number): PatternNode {
    const pattern = this.#pattern;
    if (pattern[start + 3] === '>') throw notSupported('(?P> (subroutine call)', start + 3);
    if (pattern.length === start + 3) throw new PatternError('missing closing parenthesis', start + 3);
    const found = /^=([A-Za-z_]\w*)\)/.exec(pattern.slice(start + 3));
    if (found === null) throw new PatternError('unrecognized character after (?P', start + 3);
    this.#at = start + 3 + found[0].length;
    return this.#reference(found[1] ?? '', start + 4);
  }

  #readNamed(nameStart: number): PatternNode {
    const pattern = this.#pattern;
    const rest = pattern.slice(nameStart);
    const name = /^\w*/.exec(rest)?.[0] ?? '';
    if (name === '') throw new PatternError('subpattern name expected', nameStart);
    if (/^\d/.test(name)) throw new PatternError('subpattern name must start with a non-digit', nameStart);
    if (name.length > MAX_NAME_CHARS) {
      throw new PatternError('subpattern name is too long (maximum 32 code units)', nameStart + MAX_NAME_CHARS + 1);
    }
    const end = nameStart + name.length;
    const close = pattern[nameStart - 1] === "'" ? "'" : '>';
    if (pattern[end] !== close) throw new PatternError('syntax error in subpattern name (missing terminator?)', end);
    this.#at = end + 1;
    return this.#readCapture(name, end + 1);
  }

  #readCapture(name: string | null, nameEnd: number): PatternNode {
    const index = ++this.#captureCount;
    if (name !== null) this.#declare(name, index, nameEnd);
    return this.#readGroup((body) => {
      this.#closed.add(index);
      return { kind: 'capture', index, body };
    });
  }

  #declare(name: string, index: number, offset: number): void {
    for (const known of this.#names) {
      if (known.name === name && known.index === index) return;
      if (known.index === index) {
        throw new PatternError('different names for subpatterns of the same number are not allowed', offset);
      }
      if (known.name === name && !this.#options.allowsDuplicateNames) {
        throw new PatternError('two named subpatterns have the same name (PCRE2_DUPNAMES not set)', offset);
      }
    }
    this.#names.push({ name, index });
  }

  #readLook(isBehind: boolean, isNegated: boolean, start = 0): PatternNode {
    return this.#readGroup((body) => {
      if (isBehind) checkFixedLength(body, start);
      return { kind: 'look', isBehind, isNegated, body };
    });
  }

  /** The group's content up to its `)`; options set inside end with it. */
  #readGroup(wrap: (body: PatternNode) => PatternNode, resets = false): PatternNode {
    const outer = { ...this.#options };
    const body = this.#readChoice(resets);
    if (this.#peek() !== ')') throw new PatternError('missing closing parenthesis', this.#pattern.length);
    this.#at++;
    this.#options = outer;
    return wrap(body);
  }

  /** `(?i)`, `(?i-s)`, `(?^)`, `(?i:…)`; `#at` stands behind the `?`. */
  #readOptions(): PatternNode | null {
    const changed = { ...this.#options };
    let value = true;
    for (; ; this.#at++) {
      const letter = this.#peek();
      if (letter === undefined) throw new PatternError('missing closing parenthesis', this.#pattern.length);
      if (letter === ')' || letter === ':') break;
      const option = OPTION_LETTERS[letter];
      if (letter === '-' && value) value = false;
      else if (letter === '^' && this.#pattern.startsWith('(?^', this.#at - 2)) resetOptions(changed);
      else if (letter === '-') {
        throw new PatternError('invalid hyphen in option setting', this.#at);
      } else if (option === undefined) {
        throw new PatternError('unrecognized character after (? or (?-', this.#at);
      } else {
        changed[option] = value;
        if (letter === 'x') {
          changed.isExtendedMore = value && this.#pattern[this.#at + 1] === 'x';
          if (this.#pattern[this.#at + 1] === 'x') this.#at++;
        }
      }
    }
    const opensGroup = this.#peek() === ':';
    this.#at++;
    if (!opensGroup) {
      this.#options = changed;
      return null;
    }
    const outer = this.#options;
    this.#options = changed;
    const body = this.#readGroup(asGroup);
    this.#options = outer;
    return body;
  }

  #peek(): string | undefined {
    return this.#pattern[this.#at];
  }

  #error(text: string): PatternError {
    return new PatternError(text, this.#at);
  }
}

function resetOptions(options: Options): void {
  options.ignoresCase = false;
  options.isMultiline = false;
  options.dotMatchesNewline = false;
  options.isExtended = false;
  options.isExtendedMore = false;
  options.capturesOnlyNamed = false;
}

/** An assertion can't be repeated, a group that holds nothing else can. */
function asGroup(body: PatternNode): PatternNode {
  return body.kind === 'assertion' ? { kind: 'sequence', items: [body] } : body;
}

function notRepeatable(offset: number): PatternError {
  return new PatternError('quantifier does not follow a repeatable item', offset);
}

function verbError(pattern: string, start: number): PatternError {
  const verb = /^\(\*([A-Za-z0-9_]*)/.exec(pattern.slice(start))?.[1] ?? '';
  return notSupported(`(*${verb})`, start + 2 + verb.length);
}

/** `\R`: CRLF as one, else any vertical blank; never the CR alone when an LF follows. */
function newlineSequence(): PatternNode {
  const cr = { kind: 'set', set: setOf(0x0d) } as const;
  const lf = { kind: 'set', set: setOf(0x0a) } as const;
  const crlf: PatternNode = { kind: 'sequence', items: [cr, lf] };
  const other: PatternNode = {
    kind: 'sequence',
    items: [
      { kind: 'look', isBehind: false, isNegated: true, body: crlf },
      { kind: 'set', set: VERTICAL_SET },
    ],
  };
  return { kind: 'choice', branches: [crlf, other] };
}

// -- lookbehind ------------------------------------------------------------------------------------------------------

/** Every top-level branch of a lookbehind must have one length (branches may differ), else PCRE2 refuses it. */
function checkFixedLength(body: PatternNode, offset: number): void {
  const branches = body.kind === 'choice' ? body.branches : [body];
  for (const branch of branches) {
    if (fixedLength(branch) === null) throw new PatternError('lookbehind assertion is not fixed length', offset);
  }
}

/** Bytes that the node always matches; null when that varies. */
function fixedLength(node: PatternNode): number | null {
  switch (node.kind) {
    case 'set':
      return 1;
    case 'assertion':
    case 'look':
      return 0;
    case 'sequence': {
      let sum = 0;
      for (const item of node.items) {
        const length = fixedLength(item);
        if (length === null) return null;
        sum += length;
      }
      return sum;
    }
    case 'choice': {
      const lengths = new Set(node.branches.map(fixedLength));
      const [only] = lengths;
      return lengths.size === 1 ? (only ?? null) : null;
    }
    case 'capture':
    case 'atomic':
      return fixedLength(node.body);
    case 'repeat': {
      const length = fixedLength(node.body);
      return length === null || node.min !== node.max ? null : length * node.min;
    }
    case 'back-reference':
      return null;
  }
}
