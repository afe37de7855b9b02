import { BYTE_CLASS, COLON, CR, LF, NAME_CLEAN, NAME_ODD, SPACE, TAB, VALUE_OK } from '../core/byte-tables.ts';
import type { HeaderBlock } from '../http/header-block.ts';
import { knownHeaderId } from '../http/known-header.ts';

/** Results below zero of the head parsers; from zero on they are offsets. */
export const INCOMPLETE = -1;
export const BAD_FIELD = -2;
export const LONG_FIELD = -3;

/**
 * Where a reader of field lines stands, and what it allows. The base takes every name and any length (peers' responses, trailers).
 */
export class FieldReader {
  /** Start of the line that is not whole yet. */
  at = 0;
  /** After BAD_FIELD: the offending byte; the line starts at `at`. */
  badAt = 0;
  /** A line that ends beyond this offset must be let through by `fits`. */
  limit = Number.POSITIVE_INFINITY;
  /** `underscores_in_headers`. */
  allowsUnderscores = true;
  /** `ignore_invalid_headers`: names with other bytes than letters, digits and '-' are left out. */
  dropsOddNames = false;

  /** Is there room for a line from `start` up to `end`? May move `limit`. */
  fits(_start: number, _end: number): boolean {
    return true;
  }

  /** A line was left out because of its name. */
  onDropped(_bytes: Uint8Array, _start: number, _end: number): void {
    // nothing to tell
  }
}

const UNDERSCORE = 0x5f;

/**
 * Field lines up to and including the empty line (RFC 9112 section 5). Starts at `reader.at`, the beginning of a line; on INCOMPLETE
 * `reader.at` is the beginning of the line that is not whole yet: call again with more bytes.
 *
 * Refused: a line that begins with a space or tab (obs-fold), a space before the colon, an empty name, no colon, a control byte, a bare CR.
 * A lone LF ends a line, as nginx has it (RFC 9112 section 2.2).
 *
 * Returns the offset behind the empty line, or INCOMPLETE, BAD_FIELD or LONG_FIELD.
 */
export function parseFieldLines(bytes: Uint8Array, length: number, reader: FieldReader, block: HeaderBlock): number {
  let at = reader.at;
  for (;;) {
    if (at >= length) return INCOMPLETE;
    let byte = bytes[at] as number;

    // 1. the empty line
    if (byte === LF) return at + 1;
    if (byte === CR) {
      if (at + 1 >= length) return INCOMPLETE;
      return bytes[at + 1] === LF ? at + 2 : bad(reader, at + 1);
    }

    // 2. the name
    const nameStart = at;
    let isOdd = false;
    for (;;) {
      const kind = BYTE_CLASS[byte] as number;
      if ((kind & NAME_CLEAN) === 0) {
        if (byte === COLON) break;
        if ((kind & NAME_ODD) === 0) return bad(reader, at);
        if (byte !== UNDERSCORE || !reader.allowsUnderscores) isOdd = true;
      }
      if (++at >= length) return INCOMPLETE;
      byte = bytes[at] as number;
    }
    const nameEnd = at;
    if (nameEnd === nameStart) return bad(reader, at);

    // 3. the value, without the spaces around it
    do {
      if (++at >= length) return INCOMPLETE;
      byte = bytes[at] as number;
    } while (byte === SPACE || byte === TAB);
    const valueStart = at;
    while (((BYTE_CLASS[byte] as number) & VALUE_OK) !== 0) {
      if (++at >= length) return INCOMPLETE;
      byte = bytes[at] as number;
    }
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) valueEnd--;

    // 4. the line's end
    if (byte === CR) {
      if (++at >= length) return INCOMPLETE;
      if (bytes[at] !== LF) return bad(reader, at - 1);
    } else if (byte !== LF) return bad(reader, at);
    at++;
    if (at > reader.limit && !reader.fits(nameStart, at)) return LONG_FIELD;
    if (!isOdd || !reader.dropsOddNames) {
      block.add(nameStart, nameEnd, valueStart, valueEnd, knownHeaderId(bytes, nameStart, nameEnd));
    } else reader.onDropped(bytes, nameStart, valueEnd);
    reader.at = at;
  }
}

function bad(reader: FieldReader, at: number): number {
  reader.badAt = at;
  return BAD_FIELD;
}

/** The offending line as nginx's log has it: up to the bad byte, and that in hexadecimal. */
export function badLineText(bytes: Buffer, reader: FieldReader): string {
  const byte = (bytes[reader.badAt] as number).toString(16).padStart(2, '0');
  return `"${bytes.toString('latin1', reader.at, reader.badAt)}\\x${byte}..."`;
}

const COMMA = 0x2c;

/** Does a field that is a comma-separated list (`Connection`) hold this token of lower-case letters and '-'? Case does not count. */
export function fieldHasToken(block: HeaderBlock, index: number, token: string): boolean {
  const { bytes } = block;
  const end = block.offsets[index * 4 + 3] as number;
  let at = block.offsets[index * 4 + 2] as number;
  while (at < end) {
    const byte = bytes[at] as number;
    if (byte === COMMA || byte === SPACE || byte === TAB) {
      at++;
      continue;
    }
    let length = 0;
    while (
      length < token.length &&
      at + length < end &&
      ((bytes[at + length] as number) | 0x20) === token.charCodeAt(length)
    ) {
      length++;
    }
    at += length;
    if (length === token.length) {
      while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
      if (at === end || bytes[at] === COMMA) return true;
    }
    while (at < end && bytes[at] !== COMMA) at++;
  }
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
