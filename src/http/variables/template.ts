import { ConfigError } from '../../config/diagnostic.ts';
import type { Exchange } from '../exchange.ts';
import type { Template, VariableGetter } from '../variable.ts';

/** A piece of a text: literal, `$name`, or `$1`. */
export type TextPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'capture'; readonly index: number };

/** nginx's ngx_http_script_compile: `$name`, `${name}`, `$1`..`$9`. There is no way to write a plain `$`. */
export function splitTemplate(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] !== '$') {
      const next = text.indexOf('$', at);
      const end = next < 0 ? text.length : next;
      parts.push({ kind: 'text', text: text.slice(at, end) });
      at = end;
      continue;
    }
    const digit = text.charCodeAt(at + 1) - 0x30;
    if (digit >= 1 && digit <= 9) {
      parts.push({ kind: 'capture', index: digit });
      at += 2;
      continue;
    }
    const isBraced = text[at + 1] === '{';
    const start = at + (isBraced ? 2 : 1);
    const end = nameEnd(text, start);
    const name = text.slice(start, end);
    if (start >= text.length) throw new ConfigError('invalid variable name');
    if (isBraced && text[end] !== '}') throw new ConfigError(`the closing bracket in "${name}" variable is missing`);
    if (name === '') throw new ConfigError('invalid variable name');
    parts.push({ kind: 'variable', name });
    at = isBraced ? end + 1 : end;
  }
  return parts;
}

/** Index behind the variable's name that begins at `start`. */
export function nameEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && isNameByte(text.charCodeAt(end))) end++;
  return end;
}

function isNameByte(c: number): boolean {
  return (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a) || (c >= 0x30 && c <= 0x39) || c === 0x5f;
}

/** A text without variables. */
export function constantTemplate(text: string): Template {
  return { constant: text, evaluate: () => text };
}

/** Literal texts and getters in their order; values that are not found are empty. */
export function joinedTemplate(pieces: readonly (string | VariableGetter)[]): Template {
  return { constant: null, evaluate: concatenation(pieces) };
}

/** One function for the whole text. The usual short shapes (`$host`, `$host:$port`, `http://$name`) have functions of their own. */
function concatenation(pieces: readonly (string | VariableGetter)[]): (ex: Exchange) => string {
  const [first, second, third] = pieces;
  if (pieces.length === 1 && typeof first === 'function') return (ex) => first(ex) ?? '';
  if (pieces.length === 2) {
    if (typeof first === 'string' && typeof second === 'function') return (ex) => first + (second(ex) ?? '');
    if (typeof first === 'function' && typeof second === 'string') return (ex) => (first(ex) ?? '') + second;
  }
  if (pieces.length === 3 && typeof first === 'function' && typeof second === 'string' && typeof third === 'function') {
    return (ex) => (first(ex) ?? '') + second + (third(ex) ?? '');
  }
  return (ex) => {
    let text = '';
    for (const piece of pieces) text += typeof piece === 'string' ? piece : (piece(ex) ?? '');
    return text;
  };
}
