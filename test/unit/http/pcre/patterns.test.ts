import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../../src/config/diagnostic.ts';
import { compilePattern } from '../../../../src/http/pcre/compile-pattern.ts';

/** What libpcre2 10.42 (8 bit, no UTF) said, with nginx's text around its errors. */
interface Recorded {
  readonly pattern: string;
  readonly i?: boolean;
  readonly subjects?: readonly string[];
  readonly matches?: readonly ((string | null)[] | null)[];
  readonly error?: string;
}

const recorded = JSON.parse(readFileSync(new URL('patterns.json', import.meta.url), 'utf8')) as Recorded[];

/** Where JavaScript has no way to do as PCRE does; stands in the doc comment of compilePattern. */
const KNOWN_DIFFERENCES: Readonly<Record<string, readonly ((string | null)[] | null)[]>> = {
  '((a)|b)+': [['ab', 'b', null]],
  '(?:(a)|(b))+': [
    ['ab', null, 'b'],
    ['ba', 'a', null],
  ],
  '(a*)*': [
    ['', null],
    ['aa', 'aa'],
  ],
  '(a*)+': [
    ['', ''],
    ['aa', 'aa'],
  ],
  '(?:(a)|b)\\1': [
    ['b', null],
    ['aa', 'a'],
  ],
  '(?:(a)?b)*': [['abb', null]],
};

describe('patterns match as in PCRE', () => {
  for (const { pattern, i = false, subjects = [], matches } of recorded) {
    if (matches === undefined) continue;
    test(`${JSON.stringify(pattern)}${i ? ' caseless' : ''}`, () => {
      const compiled = compilePattern(pattern, { caseInsensitive: i });
      const found = subjects.map((subject) => compiled.exec(subject));
      const plain = found.map((match) => (match === null ? null : Array.from(match, (value) => value ?? null)));
      expect(plain).toEqual(KNOWN_DIFFERENCES[pattern] ?? matches);
      expect(subjects.map((subject) => compiled.test(subject))).toEqual(plain.map((match) => match !== null));
    });
  }
});

function refusal(pattern: string): string {
  try {
    compilePattern(pattern);
    return 'compiled';
  } catch (error) {
    return error instanceof ConfigError ? error.message : String(error);
  }
}

describe('patterns are refused as by PCRE', () => {
  for (const { pattern, error } of recorded) {
    if (error === undefined) continue;
    test(JSON.stringify(pattern), () => expect(refusal(pattern)).toBe(error));
  }
});

describe('what JavaScript lacks is refused by name', () => {
  const cases: readonly (readonly [pattern: string, text: string])[] = [
    ['a\\Kb', '\\K (reset of the match start) is not supported in "a\\Kb" at "b"'],
    ['\\C', '\\C (single code unit) is not supported in "\\C"'],
    ['\\X+', '\\X (grapheme cluster) is not supported in "\\X+" at "+"'],
    ['(a)(?1)', '(?n) (subroutine call) is not supported in "(a)(?1)" at "1)"'],
    ['(?R)', '(?R) (recursion) is not supported in "(?R)" at "R)"'],
    ['(?<n>a)(?&n)', '(?& (subroutine call) is not supported in "(?<n>a)(?&n)" at "&n)"'],
    ['(?P<n>a)(?P>n)', '(?P> (subroutine call) is not supported in "(?P<n>a)(?P>n)" at ">n)"'],
    ['(a)\\g<1>', '\\g<…> (subroutine call) is not supported in "(a)\\g<1>" at "<1>"'],
    ['(a)?(?(1)b|c)', '(?(…) (conditional group) is not supported in "(a)?(?(1)b|c)" at "(1)b|c)"'],
    ['a(?C1)b', '(?C) (callout) is not supported in "a(?C1)b" at "C1)b"'],
    ['(*UTF8)a', '(*UTF8) is not supported in "(*UTF8)a" at "UTF8)a"'],
    ['a(*SKIP)b', '(*SKIP) is not supported in "a(*SKIP)b" at ")b"'],
    ['(a\\1?)+', 'reference to a later group is not supported in "(a\\1?)+" at "1?)+"'],
  ];
  for (const [pattern, text] of cases) {
    test(pattern, () => expect(refusal(pattern)).toBe(`pcre2_compile() failed: ${text}`));
  }
});

describe('named captures', () => {
  test('keep their numbers behind atomic groups', () => {
    const pattern = compilePattern('^(?>/+)(?<first>[^/]++)/(?P<second>\\d+)(x)?$');
    expect(pattern.groupNames).toEqual([
      { name: 'first', index: 1 },
      { name: 'second', index: 2 },
    ]);
    expect(pattern.captureCount).toBe(3);
    expect(pattern.exec('//ab/12')).toEqual(['//ab/12', 'ab', '12', undefined]);
  });

  test('may share a name in a branch reset', () => {
    const pattern = compilePattern('^(?|a(?<n>\\d)|b(?<n>\\w))$');
    expect(pattern.groupNames).toEqual([{ name: 'n', index: 1 }]);
    expect(pattern.exec('bx')).toEqual(['bx', 'x']);
    expect(pattern.exec('bx1')).toBeNull();
  });
});
