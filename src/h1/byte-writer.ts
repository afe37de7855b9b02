import { BYTE_CLASS, SPACE, VALUE_OK } from '../core/byte-tables.ts';

/** Up to these lengths a loop beats the call into the runtime: measured, for char codes and for bytes. */
const SHORT_TEXT = 24;
const SHORT_BYTES = 24;

/** Writes a byte string (one char = one byte) at `at`; returns where it ends. The caller made sure of the room. */
export function writeText(bytes: Buffer, at: number, text: string): number {
  const { length } = text;
  if (length > SHORT_TEXT) return at + bytes.write(text, at, length, 'latin1');
  for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + length;
}

/** Copies `source[start, end)` to `at`; returns where it ends. */
export function writeBytes(bytes: Buffer, at: number, source: Buffer, start: number, end: number): number {
  const length = end - start;
  if (length > SHORT_BYTES) return at + source.copy(bytes, at, start, end);
  for (let i = 0; i < length; i++) bytes[at + i] = source[start + i] as number;
  return at + length;
}

export function writeCrLf(bytes: Buffer, at: number): number {
  bytes[at] = 0x0d;
  bytes[at + 1] = 0x0a;
  return at + 2;
}

/** A whole number in decimal digits. */
export function writeDecimal(bytes: Buffer, at: number, value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = Math.floor(rest / 10);
    bytes[i] = 0x30 + (rest - tenth * 10);
    rest = tenth;
  }
  return at + digits;
}

/**
 * `name: value CRLF`. A value made of variables may hold any byte (`$uri` is decoded): what may not stand in a field becomes a space
 * (RFC 9110 section 5.5), so that no client ends a line of ours.
 */
export function writeField(bytes: Buffer, at: number, name: string, value: string): number {
  let start = writeText(bytes, at, name);
  bytes[start++] = 0x3a;
  bytes[start++] = 0x20;
  const end = writeText(bytes, start, value);
  for (let i = start; i < end; i++) {
    if (((BYTE_CLASS[bytes[i] as number] as number) & VALUE_OK) === 0) bytes[i] = SPACE;
  }
  return writeCrLf(bytes, end);
}
