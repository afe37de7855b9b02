import { ConfigError, type Diagnostic } from './diagnostic.ts';
import { Lexer, type TextOrigin, type Token } from './lexer.ts';
import type { Directive, SourcePos } from './tree.ts';

/** nginx has no limit (its stack has); nobody's configuration comes near this one. */
const MAX_NESTED_BLOCKS = 500;

/** The file name under which the directives of `-g` stand. */
export const COMMAND_LINE = 'command line';

export interface ParseInput {
  readonly text: string;
  /** As findings shall print it. */
  readonly file: string;
  /** Default: 'file'. */
  readonly origin?: TextOrigin;
  /** The `include` that asks for this text. */
  readonly via?: SourcePos;
  /** Reads what an `include` names. Absent: `include` stays in the tree as any other directive. */
  readonly include?: (pattern: string, pos: SourcePos) => ParseResult;
}

export interface ParseResult {
  /** What was read; with a finding, everything up to it (open blocks closed). */
  readonly directives: readonly Directive[];
  /** The syntax error that ended the reading, of this text or of an included one. */
  readonly finding: Diagnostic | null;
}

interface OpenBlock {
  readonly words: readonly string[];
  readonly pos: SourcePos;
  readonly outer: Directive[];
}

/** Text -> tree. One syntax error at most: as in nginx, nothing behind it can be understood. Never throws. */
export function parseText(input: ParseInput): ParseResult {
  const lexer = new Lexer(input.text, input.origin ?? 'file');
  const open: OpenBlock[] = [];
  let current: Directive[] = [];
  let finding: Diagnostic | null = null;

  const here = (): SourcePos => {
    const line = input.origin === 'command-line' ? 0 : lexer.line;
    const { offset } = lexer;
    return input.via === undefined
      ? { file: input.file, line, offset }
      : { file: input.file, line, offset, via: input.via };
  };
  const closeBlock = (): void => {
    const block = open.pop();
    if (block === undefined) throw new ConfigError('unexpected "}"');
    block.outer.push({ ...nameAndArgs(block.words), block: current, pos: block.pos, end: here() });
    current = block.outer;
  };
  const readDirective = (token: Token): void => {
    const pos = here();
    if (token.end === 'open') {
      if (input.origin === 'command-line') throw new ConfigError('block directives are not supported in -g option');
      if (open.length === MAX_NESTED_BLOCKS) throw new ConfigError(`more than ${MAX_NESTED_BLOCKS} nested blocks`);
      open.push({ words: token.words, pos, outer: current });
      current = [];
      return;
    }
    const [name, pattern] = token.words;
    if (input.include === undefined || name !== 'include' || pattern === undefined || token.words.length !== 2) {
      current.push({ ...nameAndArgs(token.words), block: null, pos });
      return;
    }
    const included = input.include(pattern, pos);
    for (const directive of included.directives) current.push(directive);
    finding = included.finding;
  };

  try {
    while (finding === null) {
      const token = lexer.next();
      if (token.end === 'eof') {
        if (open.length !== 0) throw new ConfigError('unexpected end of file, expecting "}"');
        break;
      }
      if (token.end === 'close') closeBlock();
      else readDirective(token);
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    finding = { severity: 'emerg', text: error.message, pos: here() };
  }
  while (open.length > 0) closeBlock();
  return { directives: current, finding };
}

function nameAndArgs(words: readonly string[]): { name: string; args: readonly string[] } {
  return { name: words[0] ?? '', args: words.slice(1) };
}
