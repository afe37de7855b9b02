import { ConfigError } from '../../config/diagnostic.ts';
import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseInteger } from '../../config/parse-value.ts';
import { rawLines } from '../../config/raw-block.ts';
import type { Directive, SourcePos } from '../../config/tree.ts';
import { compilePattern } from '../../http/pcre/compile-pattern.ts';
import type { HeaderTest, StatusTest, TextTest } from '../../probe/response-match.ts';

/** One `match NAME {}`. */
export interface MatchBlock {
  readonly name: string;
  readonly status: StatusTest | null;
  readonly headers: readonly HeaderTest[];
  readonly bodies: readonly TextTest[];
  /** Texts that must come to something else than nothing or `0`. */
  readonly requires: readonly RequiredText[];
  /** Of `type=tcp`: bytes, '' = none. */
  readonly send: string;
  readonly expect: TextTest | null;
  /** As written, for telling one from another. */
  readonly text: string;
  readonly pos: SourcePos;
}

export interface RequiredText {
  readonly text: string;
  readonly pos: SourcePos;
}

type Draft = { -readonly [K in keyof MatchBlock]: MatchBlock[K] };

/** `isTaken`: the block has a `match` of that name already. */
export function parseMatch(use: DirectiveUse, isTaken: (name: string) => boolean): MatchBlock {
  const [name = ''] = use.args;
  if (isTaken(name)) use.fail(`duplicate match "${name}"`);
  const lines = rawLines(use);
  const draft: Draft = {
    name,
    status: null,
    headers: [],
    bodies: [],
    requires: [],
    send: '',
    expect: null,
    text: lines.map((line) => [line.name, ...line.args].join(' ')).join(';'),
    pos: use.pos,
  };
  for (const line of lines) {
    try {
      readLine(draft, line);
    } catch (error) {
      throw error instanceof ConfigError && error.pos === null ? new ConfigError(error.message, line.pos) : error;
    }
  }
  const isOfTcp = draft.send !== '' || draft.expect !== null;
  const isOfHttp = draft.status !== null || draft.headers.length + draft.bodies.length + draft.requires.length > 0;
  if (isOfTcp && isOfHttp) use.fail(`match "${name}" has tests of HTTP and of TCP`);
  return draft;
}

function readLine(draft: Draft, line: Directive): void {
  const { args } = line;
  switch (line.name) {
    case 'status':
      if (draft.status !== null) throw new ConfigError('"status" directive is duplicate');
      draft.status = readStatus(args);
      return;
    case 'header':
      draft.headers = [...draft.headers, readHeader(args)];
      return;
    case 'body':
      draft.bodies = [...draft.bodies, readBody(args)];
      return;
    case 'require':
      if (args.length === 0) throw wrongCount('require');
      draft.requires = [...draft.requires, ...args.map((text) => ({ text, pos: line.pos }))];
      return;
    case 'send':
      if (args.length !== 1) throw wrongCount('send');
      if (draft.send !== '') throw new ConfigError('"send" directive is duplicate');
      draft.send = unescapeHex(args[0] ?? '');
      return;
    case 'expect':
      if (draft.expect !== null) throw new ConfigError('"expect" directive is duplicate');
      draft.expect = readExpect(args);
      return;
    default:
      throw new ConfigError(`unknown directive "${line.name}"`);
  }
}

/** `status 200 300-399`, `status ! 500`. */
function readStatus(args: readonly string[]): StatusTest {
  const isNegated = args[0] === '!';
  const words = isNegated ? args.slice(1) : args;
  if (words.length === 0) throw wrongCount('status');
  return { isNegated, ranges: words.map(readRange) };
}

function readRange(word: string): readonly [number, number] {
  const [first = '', last = first, ...more] = word.split('-');
  const from = readCode(first);
  const to = readCode(last);
  if (from === null || to === null || to < from || more.length > 0) throw new ConfigError(`invalid status "${word}"`);
  return [from, to];
}

function readCode(text: string): number | null {
  const code = parseInteger(text);
  return code !== null && code >= 100 && code <= 999 ? code : null;
}

/** `header NAME`, `header ! NAME`, `header NAME = | != | ~ | !~ | ~* | !~* TEXT`. */
function readHeader(args: readonly string[]): HeaderTest {
  const [first = '', second, third] = args;
  if (args.length === 1) return { name: first.toLowerCase(), value: null, isAbsent: false };
  if (args.length === 2 && first === '!') return { name: (second ?? '').toLowerCase(), value: null, isAbsent: true };
  if (args.length !== 3) throw wrongCount('header');
  const value = readTest(second ?? '', third ?? '', ['=', '!=', '~', '!~', '~*', '!~*']);
  return { name: first.toLowerCase(), value, isAbsent: false };
}

function readBody(args: readonly string[]): TextTest {
  if (args.length !== 2) throw wrongCount('body');
  return readTest(args[0] ?? '', args[1] ?? '', ['~', '!~', '~*', '!~*']);
}

/** `expect TEXT`, `expect ~ PATTERN`. */
function readExpect(args: readonly string[]): TextTest {
  if (args.length === 1) return { wanted: unescapeHex(args[0] ?? ''), isNegated: false };
  if (args.length !== 2) throw wrongCount('expect');
  return readTest(args[0] ?? '', args[1] ?? '', ['~', '~*']);
}

function readTest(operator: string, text: string, known: readonly string[]): TextTest {
  if (!known.includes(operator)) throw new ConfigError(`unknown operator "${operator}"`);
  const isNegated = operator.startsWith('!');
  if (operator.endsWith('=')) return { wanted: text, isNegated };
  return { wanted: compilePattern(text, { caseInsensitive: operator.endsWith('*') }), isNegated };
}

/** `\x0d` is the byte 13. */
function unescapeHex(text: string): string {
  return text.replaceAll(/\\x([0-9a-fA-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

function wrongCount(name: string): ConfigError {
  return new ConfigError(`invalid number of arguments in "${name}" directive`);
}
