// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are nginx's variables
import { describe, expect, it } from 'vitest';
import { parseText } from '../../../src/config/parser.ts';

function words(text: string): string[][] {
  const { directives, finding } = parseText({ text, file: 'f' });
  expect(finding).toBeNull();
  return directives.map((directive) => [directive.name, ...directive.args]);
}

describe('words', () => {
  it.each([
    ['a b;', [['a', 'b']]],
    ['a\tb\r\n  c ;', [['a', 'b', 'c']]],
    ['a "b c" \'d;{}\' "";', [['a', 'b c', 'd;{}', '']]],
    [String.raw`a \"b\' "\t\r\n" \d\.\$ c\\d;`, [['a', '"b\'', '\t\r\n', '\\d\\.\\$', 'c\\d']]],
    [String.raw`a b\ c d\;e;`, [['a', 'b\\ c', 'd\\;e']]],
    [
      'a ${b}c d${e}; f ${{{x};',
      [
        ['a', '${b}c', 'd${e}'],
        ['f', '${{{x}'],
      ],
    ],
    ['if ("a"="b");', [['if', '("a"="b")']]],
    ['if (a "b") c;', [['if', '(a', 'b', ')', 'c']]],
    ['a b#c; # "no {\n d;', [['a', 'b#c'], ['d']]],
    ['"a" "b";"c";', [['a', 'b'], ['c']]],
    ['caf\u00c3\u00a9 \u0000\u00ff;', [['caf\u00c3\u00a9', '\u0000\u00ff']]],
    ['a }b;', null],
  ])('%j', (text, expected) => {
    if (expected === null) expect(parseText({ text, file: 'f' }).finding?.text).toBe('unexpected "}"');
    else expect(words(text)).toEqual(expected);
  });
});

describe('positions', () => {
  it('are the line of the semicolon or of the opening brace, and of the closing brace', () => {
    const [first, second] = parseText({ text: 'a\nb\n;\nc\n{\n d;\n}\n', file: 'f' }).directives;
    expect(first?.pos).toMatchObject({ file: 'f', line: 3 });
    expect(second).toMatchObject({
      name: 'c',
      args: [],
      pos: { file: 'f', line: 5 },
      end: { file: 'f', line: 7 },
      block: [{ name: 'd', args: [], block: null, pos: { file: 'f', line: 6 } }],
    });
  });

  it('of a too long parameter are where it began', () => {
    const long = 'x'.repeat(5000);
    const plain = parseText({ text: `a\n${long}\n;`, file: 'f' }).finding;
    expect(plain).toMatchObject({ text: 'too long parameter "xxxxxxxxxx..." started', pos: { line: 2 } });
    const quoted = parseText({ text: `a\n'${long}\n\n';`, file: 'f' }).finding;
    expect(quoted).toMatchObject({
      text: 'too long parameter, probably missing terminating "\'" character',
      pos: { line: 2 },
    });
  });

  it('of -g have no line, and no parameter there is too long', () => {
    const { directives, finding } = parseText({ text: `a ${'x'.repeat(9000)};`, file: 'f', origin: 'command-line' });
    expect(finding).toBeNull();
    expect(directives[0]?.pos).toMatchObject({ file: 'f', line: 0 });
  });
});

it('include stays in the tree when nobody reads it', () => {
  expect(words('include a.conf;')).toEqual([['include', 'a.conf']]);
});
