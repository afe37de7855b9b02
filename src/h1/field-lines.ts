import { BYTE_CLASS, COLON, CR, LF, NAME_CLEAN, NAME_ODD, SPACE, TAB, VALUE_OK } from '../core/byte-tables.ts';
import type { HeaderBlock } from '../http/header-block.ts';
import { knownHeaderId } from '../http/known-header.ts';

/** Results below zero of the head parsers; from zero on they are offsets. */
export const INCOMPLETE = -1;
export const BAD_FIELD = -2;
export const LONG_FIELD = -3;

/** What to do with a name that holds other bytes than letters, digits and '-' (`ignore_invalid_headers`, `underscores_in_headers`). */
export interface FieldRules {
  readonly dropsOddNames: boolean;
  readonly allowsUnderscores: boolean;
  /** Longest line, its end included. */
  readonly maxLineBytes: number;
}

export const KEEP_ALL_FIELDS: FieldRules = {
  dropsOddNames: false,
  allowsUnderscores: true,
  maxLineBytes: Number.POSITIVE_INFINITY,
};

const UNDERSCORE = 0x5f;

/**
 * Field lines up to and including the empty line (RFC 9112 section 5). Starts at `cursor.at`, the beginning of a line; on INCOMPLETE
 * `cursor.at` is the beginning of the line that is not whole yet: call again with more bytes.
 *
 * Refused: a line that begins with a space or tab (obs-fold), a space before the colon, an empty name, no colon, a control byte, a bare CR.
 * A lone LF ends a line, as nginx has it (RFC 9112 section 2.2).
 *
 * Returns the offset behind the empty line, or INCOMPLETE, BAD_FIELD or LONG_FIELD.
 */
export function parseFieldLines(
  bytes: Uint8Array,
  length: number,
  cursor: { at: number },
  block: HeaderBlock,
  rules: FieldRules,
): number {
  let at = cursor.at;
  for (;;) {
    if (at >= length) return INCOMPLETE;
    let byte = bytes[at] as number;

    // 1. the empty line
    if (byte === LF) return at + 1;
    if (byte === CR) {
      if (at + 1 >= length) return INCOMPLETE;
      return bytes[at + 1] === LF ? at + 2 : BAD_FIELD;
    }

    // 2. the name
    const nameStart = at;
    let isOdd = false;
    for (;;) {
      const kind = BYTE_CLASS[byte] as number;
      if ((kind & NAME_CLEAN) === 0) {
        if (byte === COLON) break;
        if ((kind & NAME_ODD) === 0) return BAD_FIELD;
        if (byte !== UNDERSCORE || !rules.allowsUnderscores) isOdd = true;
      }
      if (++at >= length) return INCOMPLETE;
      byte = bytes[at] as number;
    }
    const nameEnd = at;
    if (nameEnd === nameStart) return BAD_FIELD;

    // 3. the value, without the spaces around it
    do {
      if (++at >= length) return INCOMPLETE;
      byte = bytes[at] as number;
    } while (byte === SPACE || byte === TAB);
    const valueStart = at;
    let valueEnd = at;
    for (;;) {
      if (((BYTE_CLASS[byte] as number) & VALUE_OK) === 0) {
        if (byte === LF) break;
        if (byte !== CR) return BAD_FIELD;
        if (at + 1 >= length) return INCOMPLETE;
        if (bytes[at + 1] !== LF) return BAD_FIELD;
        at++;
        break;
      }
      if (byte !== SPACE && byte !== TAB) valueEnd = at + 1;
      if (++at >= length) return INCOMPLETE;
      byte = bytes[at] as number;
    }
    at++;
    if (at - nameStart > rules.maxLineBytes) return LONG_FIELD;
    if (!isOdd || !rules.dropsOddNames) {
      block.add(nameStart, nameEnd, valueStart, valueEnd, knownHeaderId(bytes, nameStart, nameEnd));
    }
    cursor.at = at;
  }
}

/** Does a comma-separated list (`Connection`, `Transfer-Encoding`) hold this lower-case token? Case does not count. */
export function listHasToken(list: string, token: string): boolean {
  if (list.length < token.length) return false;
  if (list.length === token.length) return list.toLowerCase() === token;
  for (const element of list.toLowerCase().split(',')) if (element.trim() === token) return true;
  return false;
}

const ZERO = 0x30;

/** Content-Length (RFC 9110 section 8.6): digits only, up to 2^53; -1 when it is anything else. */
export function parseContentLength(bytes: Uint8Array, start: number, end: number): number {
  if (start === end || end - start > 15) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] as number) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
