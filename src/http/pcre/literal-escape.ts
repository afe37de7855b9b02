import { ESCAPED_BYTES } from './escapes.ts';
import { PatternError } from './pattern-error.ts';

export interface LiteralEscape {
  readonly byte: number;
  /** Index behind the escape. */
  readonly end: number;
}

const TOO_LARGE = 'character code point value in \\x{} or \\o{} is too large';

/** The escape at `at` (its backslash) that stands for one byte: `\n`, `\x41`, `\o{101}`, `\cA`, octal, or an escaped punctuation mark. */
export function readLiteralEscape(pattern: string, at: number, isInClass: boolean): LiteralEscape {
  const letter = pattern[at + 1];
  if (letter === undefined) throw new PatternError('\\ at end of pattern', at + 1);
  const simple = ESCAPED_BYTES[letter];
  if (simple !== undefined) return { byte: simple, end: at + 2 };
  if (letter === 'x') return readHex(pattern, at);
  if (letter === 'o') return readBracedOctal(pattern, at);
  if (letter === 'c') return readControl(pattern, at);
  if (/[0-7]/.test(letter)) return readOctal(pattern, at);
  // In a class, \8 and \9 are the digits themselves.
  if (isInClass && /[89]/.test(letter)) return { byte: letter.charCodeAt(0), end: at + 2 };
  if (/[A-Za-z0-9]/.test(letter)) throw unknownEscape(letter, at);
  return { byte: letter.charCodeAt(0), end: at + 2 };
}

function unknownEscape(letter: string, at: number): PatternError {
  if ('FlLuUN'.includes(letter)) {
    return new PatternError('PCRE2 does not support \\F, \\L, \\l, \\N{name}, \\U, or \\u', at + 2);
  }
  return new PatternError('unrecognized character follows \\', at + 1);
}

function readHex(pattern: string, at: number): LiteralEscape {
  if (pattern[at + 2] !== '{') {
    const digits = /^[0-9A-Fa-f]{0,2}/.exec(pattern.slice(at + 2, at + 4))?.[0] ?? '';
    return { byte: digits === '' ? 0 : Number.parseInt(digits, 16), end: at + 2 + digits.length };
  }
  const found = /^\{([0-9A-Fa-f]+)\}/.exec(pattern.slice(at + 2));
  if (found === null) throw new PatternError('non-hex character in \\x{} (closing brace missing?)', at + 3);
  return braced(Number.parseInt(found[1] ?? '', 16), at + 2 + found[0].length);
}

function readBracedOctal(pattern: string, at: number): LiteralEscape {
  if (pattern[at + 2] !== '{') throw new PatternError('missing opening brace after \\o', at + 1);
  const found = /^\{([0-7]+)\}/.exec(pattern.slice(at + 2));
  if (found === null) throw new PatternError('non-octal character in \\o{} (closing brace missing?)', at + 3);
  return braced(Number.parseInt(found[1] ?? '', 8), at + 2 + found[0].length);
}

function braced(byte: number, end: number): LiteralEscape {
  if (byte > 0xff) throw new PatternError(TOO_LARGE, end - 1);
  return { byte, end };
}

function readControl(pattern: string, at: number): LiteralEscape {
  const char = pattern[at + 2];
  if (char === undefined) throw new PatternError('\\c at end of pattern', at + 2);
  const code = char.toUpperCase().charCodeAt(0);
  if (code < 0x20 || code > 0x7e) {
    throw new PatternError('\\c must be followed by a printable ASCII character', at + 3);
  }
  return { byte: code ^ 0x40, end: at + 3 };
}

function readOctal(pattern: string, at: number): LiteralEscape {
  const digits = /^[0-7]{1,3}/.exec(pattern.slice(at + 1))?.[0] ?? '';
  const byte = Number.parseInt(digits, 8);
  if (byte > 0xff)
    throw new PatternError('octal value is greater than \\377 in 8-bit non-UTF-8 mode', at + 1 + digits.length);
  return { byte, end: at + 1 + digits.length };
}
