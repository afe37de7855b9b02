import { ConfigError } from './diagnostic.ts';

/** nginx reads its files through a buffer of this size, and no parameter (or comment line) may outgrow it. */
const CONF_BUFFER_BYTES = 4096;

/** What stands behind the words: `;`, `{`, `}` (then there are no words) or the end of the text. */
export const TOKEN_ENDS = ['semicolon', 'open', 'close', 'eof'] as const;
export type TokenEnd = (typeof TOKEN_ENDS)[number];

export interface Token {
  readonly end: TokenEnd;
  /** The directive's name and arguments, quotes and escapes resolved. */
  readonly words: readonly string[];
}

/** A file, or the text of `-g`. */
export type TextOrigin = 'file' | 'command-line';

type State = 'between' | 'word' | 'double-quoted' | 'single-quoted' | 'after-quote' | 'comment';

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const DOUBLE_QUOTE = 34;
const SHARP = 35;
const DOLLAR = 36;
const SINGLE_QUOTE = 39;
const PAREN_CLOSE = 41;
const SEMICOLON = 59;
const BACKSLASH = 92;
const BRACE_OPEN = 123;
const BRACE_CLOSE = 125;

/**
 * nginx's tokens, one directive's words at a time. Follows ngx_conf_read_token byte for byte, its 4096-byte window included,
 * so that what nginx refuses is refused here with the same words at the same line.
 */
export class Lexer {
  /** The line that nginx would print now: that of the token's last byte. */
  line = 1;
  readonly #text: string;
  readonly #origin: TextOrigin;
  #pos = 0;
  /** Index behind the last byte that nginx would have in its buffer. */
  #windowEnd: number;

  constructor(text: string, origin: TextOrigin) {
    this.#text = text;
    this.#origin = origin;
    this.#windowEnd = origin === 'file' ? Math.min(CONF_BUFFER_BYTES, text.length) : text.length;
  }

  /** Characters read so far. */
  get offset(): number {
    return this.#pos;
  }

  /** The next directive's words and what ends them. Throws ConfigError; `line` then is the error's line. */
  next(): Token {
    const text = this.#text;
    const words: string[] = [];
    let state: State = 'between';
    let start = this.#pos;
    let startLine = this.line;
    let isEscaped = false;
    let isAfterDollar = false;

    for (;;) {
      if (this.#pos >= this.#windowEnd) {
        if (this.#windowEnd >= text.length) return this.#endOfText(words, state);
        this.#slideWindow(start, startLine, state);
      }
      const byte = text.charCodeAt(this.#pos++);

      if (byte === LF) {
        this.line++;
        if (state === 'comment') state = 'between';
      }
      if (state === 'comment') continue;
      if (isEscaped) {
        isEscaped = false;
        continue;
      }

      if (state === 'after-quote') {
        if (isBlank(byte)) {
          state = 'between';
          continue;
        }
        if (byte === SEMICOLON) return { end: 'semicolon', words };
        if (byte === BRACE_OPEN) return { end: 'open', words };
        if (byte !== PAREN_CLOSE) throw unexpected(byte);
        state = 'between';
      }

      if (state === 'between') {
        start = this.#pos - 1;
        startLine = this.line;
        if (isBlank(byte)) continue;
        switch (byte) {
          case SEMICOLON:
          case BRACE_OPEN:
            if (words.length === 0) throw unexpected(byte);
            return { end: byte === SEMICOLON ? 'semicolon' : 'open', words };
          case BRACE_CLOSE:
            if (words.length !== 0) throw unexpected(byte);
            return { end: 'close', words };
          case SHARP:
            state = 'comment';
            continue;
          case DOUBLE_QUOTE:
            start++;
            state = 'double-quoted';
            continue;
          case SINGLE_QUOTE:
            start++;
            state = 'single-quoted';
            continue;
          default:
            isEscaped = byte === BACKSLASH;
            isAfterDollar = byte === DOLLAR;
            state = 'word';
            continue;
        }
      }

      // Inside a word. The brace of `${name}` opens no block.
      if (byte === BRACE_OPEN && isAfterDollar) continue;
      isAfterDollar = byte === DOLLAR;
      isEscaped = byte === BACKSLASH;
      if (isAfterDollar || isEscaped) continue;

      if (state === 'word') {
        if (!isBlank(byte) && byte !== SEMICOLON && byte !== BRACE_OPEN) continue;
        words.push(resolveEscapes(text.slice(start, this.#pos - 1)));
        if (byte === SEMICOLON) return { end: 'semicolon', words };
        if (byte === BRACE_OPEN) return { end: 'open', words };
        state = 'between';
      } else if (byte === (state === 'double-quoted' ? DOUBLE_QUOTE : SINGLE_QUOTE)) {
        words.push(resolveEscapes(text.slice(start, this.#pos - 1)));
        state = 'after-quote';
      }
    }
  }

  #endOfText(words: readonly string[], state: State): Token {
    if (words.length === 0 && (state === 'between' || state === 'comment')) return { end: 'eof', words };
    throw new ConfigError(
      this.#origin === 'file'
        ? 'unexpected end of file, expecting ";" or "}"'
        : 'unexpected end of parameter, expecting ";"',
    );
  }

  #slideWindow(start: number, startLine: number, state: State): void {
    if (this.#pos - start === CONF_BUFFER_BYTES) {
      this.line = startLine;
      if (state === 'double-quoted' || state === 'single-quoted') {
        const quote = state === 'double-quoted' ? '"' : "'";
        throw new ConfigError(`too long parameter, probably missing terminating "${quote}" character`);
      }
      throw new ConfigError(`too long parameter "${this.#text.slice(start, start + 10)}..." started`);
    }
    this.#windowEnd = Math.min(this.#text.length, start + CONF_BUFFER_BYTES);
  }
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === CR || byte === LF;
}

function unexpected(byte: number): ConfigError {
  return new ConfigError(`unexpected "${String.fromCharCode(byte)}"`);
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n' };

/** `\"`, `\'`, `\\`, `\t`, `\r`, `\n` become their byte; before anything else the backslash stays (regexes need it). */
function resolveEscapes(word: string): string {
  if (!word.includes('\\')) return word;
  return word.replace(/\\(["'\\trn])/g, (_, escaped: string) => ESCAPES[escaped] ?? escaped);
}
