import { classSource } from './byte-set.ts';
import type { Assertion, ParsedPattern, PatternNode } from './pattern-node.ts';

export interface JavaScriptPattern {
  /** For `new RegExp(source)`: no flags are needed. */
  readonly source: string;
  /** For each capture of the user (from 1): the captures of the JavaScript pattern that may hold it. */
  readonly captures: readonly (readonly number[])[];
  /** Captures are numbered as the user's, and there are no others. */
  readonly isSameNumbering: boolean;
}

/** Assertions without flags: `^` and `$` are the ends of the subject. PCRE's `$` also holds before a last newline. */
const ASSERTION_SOURCE: Readonly<Record<Assertion, string>> = {
  start: '^',
  'line-start': '(?:^|(?<=\\n)(?!$))',
  end: '(?=\\n?$)',
  'line-end': '(?=\\n|$)',
  'very-end': '$',
  'word-boundary': '\\b',
  'no-word-boundary': '\\B',
};

/** Writes a parsed pattern as JavaScript. */
export function toJavaScript(parsed: ParsedPattern): JavaScriptPattern {
  const writer = new Writer(parsed.captureCount);
  const source = writer.write(parsed.root, false);
  return { source: writer.fillReferences(source), captures: writer.captures, isSameNumbering: writer.isSameNumbering };
}

/**
 * Captures get JavaScript numbers in the order in which they are written; atomic groups take numbers of their own, because
 * `(?>x)` becomes `(?=(x))\n`. References may stand before their group, so they are placeholders until all is numbered.
 */
class Writer {
  readonly captures: number[][];
  #written = 0;

  constructor(captureCount: number) {
    this.captures = Array.from({ length: captureCount + 1 }, () => []);
  }

  /** `isBackward`: inside a lookbehind, where JavaScript matches from right to left. */
  write(node: PatternNode, isBackward: boolean): string {
    switch (node.kind) {
      case 'set':
        return classSource(node.set);
      case 'sequence':
        return node.items.map((item) => this.#writeItem(item, isBackward)).join('');
      case 'choice':
        return node.branches.map((branch) => this.write(branch, isBackward)).join('|');
      case 'capture': {
        this.captures[node.index]?.push(++this.#written);
        return `(${this.write(node.body, isBackward)})`;
      }
      case 'atomic':
        return this.#atomic(() => this.write(node.body, isBackward), isBackward);
      case 'look': {
        const open = node.isBehind ? (node.isNegated ? '(?<!' : '(?<=') : node.isNegated ? '(?!' : '(?=';
        return `${open}${this.write(node.body, node.isBehind)})`;
      }
      case 'repeat':
        return this.#repeat(node, isBackward);
      case 'back-reference': {
        const marks = node.indexes.map((index) => `\u{100}${index}\u{101}`).join('');
        return node.ignoresCase ? `(?i:${marks})` : marks;
      }
      case 'assertion':
        return ASSERTION_SOURCE[node.assertion];
    }
  }

  /** A choice inside a sequence, or an item that is repeated, needs brackets. */
  #writeItem(node: PatternNode, isBackward: boolean): string {
    const source = this.write(node, isBackward);
    return node.kind === 'choice' ? `(?:${source})` : source;
  }

  #repeat(node: PatternNode & { kind: 'repeat' }, isBackward: boolean): string {
    const once = (): string => {
      const source = this.write(node.body, isBackward);
      const isOneAtom = node.body.kind === 'set' || node.body.kind === 'capture';
      return `${isOneAtom ? source : `(?:${source})`}${quantifier(node.min, node.max)}`;
    };
    if (node.mode === 'possessive') return this.#atomic(once, isBackward);
    return node.mode === 'lazy' ? `${once()}?` : once();
  }

  #atomic(body: () => string, isBackward: boolean): string {
    const index = ++this.#written;
    const source = body();
    return isBackward ? `(?:\\${index}(?<=(${source})))` : `(?:(?=(${source}))\\${index})`;
  }

  get isSameNumbering(): boolean {
    return (
      this.#written === this.captures.length - 1 &&
      this.captures.every((numbers, index) => index === 0 || (numbers.length === 1 && numbers[0] === index))
    );
  }

  /** A group that two branches share is two groups here; at most one of them is set, an unset one matches the empty string. */
  fillReferences(source: string): string {
    return source.replace(/\u{100}(\d+)\u{101}/gu, (_mark, index: string) =>
      (this.captures[Number(index)] ?? []).map((number) => `(?:\\${number})`).join(''),
    );
  }
}

function quantifier(min: number, max: number): string {
  if (max === Number.POSITIVE_INFINITY) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}
