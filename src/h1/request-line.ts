import { BYTE_CLASS, CR, LF, METHOD_OK, SLASH, SPACE, TARGET_OK } from '../core/byte-tables.ts';
import type { RequestHead } from '../http/request-head.ts';
import { INCOMPLETE } from './field-lines.ts';

/** Results of `parseRequestLine` below INCOMPLETE. */
export const BAD_METHOD = -10;
export const BAD_LINE = -11;
export const BAD_VERSION = -12;
/** HTTP/0.9 knows GET alone. */
export const BAD_OLD_METHOD = -13;

const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const PROTOCOL = Buffer.from('HTTP/', 'latin1');
const CONNECT = 'CONNECT';
const COMMON_METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'] as const;

/**
 * `method SP target SP HTTP/1.x` from `start` (RFC 9112 section 3), with nginx's tolerance for extra spaces. Fills the head's line.
 * Returns the offset behind the line, INCOMPLETE, or what is wrong.
 */
export function parseRequestLine(bytes: Buffer, start: number, length: number, head: RequestHead): number {
  // 1. method
  let at = start;
  while (at < length && ((BYTE_CLASS[bytes[at] as number] as number) & METHOD_OK) !== 0) at++;
  if (at >= length) return INCOMPLETE;
  if (bytes[at] !== SPACE || at === start) return BAD_METHOD;
  const methodEnd = at;

  // 2. target
  while (at < length && bytes[at] === SPACE) at++;
  const targetStart = at;
  if (at >= length) return INCOMPLETE;
  const first = bytes[at] as number;
  if (first !== SLASH && !isLetter(first) && methodName(bytes, start, methodEnd) !== CONNECT) return BAD_LINE;
  while (at < length && ((BYTE_CLASS[bytes[at] as number] as number) & TARGET_OK) !== 0) at++;
  if (at >= length) return INCOMPLETE;
  const targetEnd = at;

  // 3. version; none: HTTP/0.9
  while (at < length && bytes[at] === SPACE) at++;
  if (at >= length) return INCOMPLETE;
  const isOld = bytes[at] !== PROTOCOL[0];
  if (!isOld) {
    at = parseVersion(bytes, at, length, head);
    if (at < 0) return at;
    while (at < length && bytes[at] === SPACE) at++;
  }

  // 4. line end
  if (at >= length) return INCOMPLETE;
  let end = at;
  if (bytes[end] === CR && ++end >= length) return INCOMPLETE;
  if (bytes[end] !== LF) return BAD_LINE;

  head.method = methodName(bytes, start, methodEnd);
  head.lineStart = start;
  head.lineEnd = at;
  head.headers.bytes = bytes;
  if (!readTarget(bytes, targetStart, targetEnd, head)) return BAD_LINE;
  if (isOld) head.version = 9;
  return isOld && head.method !== 'GET' ? BAD_OLD_METHOD : end + 1;
}

/** `HTTP/1.x`; later minor versions of 1 count as 1.1. Returns where it ends. */
function parseVersion(bytes: Buffer, start: number, length: number, head: RequestHead): number {
  let at = start;
  for (let i = 0; i < PROTOCOL.length; i++) {
    if (at >= length) return INCOMPLETE;
    if (bytes[at++] !== PROTOCOL[i]) return BAD_LINE;
  }
  if (at >= length) return INCOMPLETE;
  if (bytes[at] === ZERO) return BAD_LINE;
  let major = 0;
  const majorStart = at;
  for (; at < length && isDigit(bytes[at] as number); at++) {
    major = major * 10 + (bytes[at] as number) - ZERO;
    if (major > 1) return BAD_VERSION;
  }
  if (at >= length) return INCOMPLETE;
  if (at === majorStart || bytes[at++] !== DOT) return BAD_LINE;
  let minor = 0;
  const minorStart = at;
  for (; at < length && isDigit(bytes[at] as number); at++) {
    if (minor > 99) return BAD_LINE;
    minor = minor * 10 + (bytes[at] as number) - ZERO;
  }
  if (at >= length) return INCOMPLETE;
  if (at === minorStart) return BAD_LINE;
  head.version = minor === 0 ? 10 : 11;
  return at;
}

/** Origin form, or absolute form, whose authority outranks Host (RFC 9112 section 3.2.2). The asterisk form is refused, as by nginx. */
function readTarget(bytes: Buffer, start: number, end: number, head: RequestHead): boolean {
  if (head.method === CONNECT) return readAuthority(bytes.toString('latin1', start, end), head);
  if (bytes[start] === SLASH) {
    head.target = bytes.toString('latin1', start, end);
    return true;
  }
  const text = bytes.toString('latin1', start, end);
  const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)([/?].*)?$/s.exec(text);
  if (absolute === null) return false;
  const [, authority = '', rest = '/'] = absolute;
  // nginx's own idea of it: no user, no other marks in a name, digits as port.
  if (!/^(?:[A-Za-z0-9.-]*|\[[A-Za-z0-9\-._~!$&'()*+,;=:]*\])(?::[0-9]*)?$/.test(authority)) return false;
  head.rawHost = authority;
  head.target = rest;
  return true;
}

/** The target of CONNECT: host and port (RFC 9112 section 3.2.3; nginx since 1.29.3). */
function readAuthority(text: string, head: RequestHead): boolean {
  if (!/^(?:[A-Za-z0-9.-]+|\[[A-Za-z0-9\-._~!$&'()*+,;=:]*\]):[0-9]+$/.test(text)) return false;
  head.rawHost = text;
  head.target = '';
  return true;
}

/** Interned names for the usual methods: no string is made for them. */
function methodName(bytes: Buffer, start: number, end: number): string {
  next: for (const name of COMMON_METHODS) {
    if (name.length !== end - start) continue;
    for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name.charCodeAt(i)) continue next;
    return name;
  }
  return bytes.toString('latin1', start, end);
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
