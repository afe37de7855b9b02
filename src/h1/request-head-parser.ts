import { BYTE_CLASS, CR, LF, METHOD_OK, SLASH, SPACE, TARGET_OK } from '../core/byte-tables.ts';
import { HEADER_ID } from '../http/known-header.ts';
import type { RequestHead } from '../http/request-head.ts';
import {
  BAD_FIELD,
  type FieldRules,
  INCOMPLETE,
  LONG_FIELD,
  listHasToken,
  parseContentLength,
  parseFieldLines,
} from './field-lines.ts';

/** Why a head was refused: the status to answer and nginx's words for the log (level info). */
export interface HeadRefusal {
  readonly status: number;
  readonly reason: string;
}

const BAD_METHOD: HeadRefusal = { status: 400, reason: 'client sent invalid method while reading client request line' };
const BAD_REQUEST_LINE: HeadRefusal = {
  status: 400,
  reason: 'client sent invalid request while reading client request line',
};
const BAD_VERSION: HeadRefusal = {
  status: 505,
  reason: 'client sent invalid version while reading client request line',
};
const BAD_HEADER_LINE: HeadRefusal = {
  status: 400,
  reason: 'client sent invalid header line while reading client request headers',
};
export const LINE_TOO_LONG: HeadRefusal = {
  status: 414,
  reason: 'client sent too long URI while reading client request line',
};
const FIELD_TOO_LONG: HeadRefusal = {
  status: 494,
  reason: 'client sent too long header line while reading client request headers',
};
export const TOO_MANY_FIELDS: HeadRefusal = {
  status: 494,
  reason: 'client sent too large request while reading client request headers',
};
const refuse = (status: number, reason: string): HeadRefusal => ({ status, reason });
const CONTENT_LENGTH_INVALID = refuse(
  400,
  'client sent invalid "Content-Length" header while reading client request headers',
);
const LENGTH_AND_CODING = refuse(
  400,
  'client sent "Content-Length" and "Transfer-Encoding" headers at the same time while reading client request headers',
);
const CODING_UNKNOWN = refuse(501, 'client sent unknown "Transfer-Encoding" while reading client request headers');
const CODING_IN_10 = refuse(
  400,
  'client sent HTTP/1.0 request with "Transfer-Encoding" header while reading client request headers',
);
const DUPLICATE_HOST = refuse(400, 'client sent duplicate host header while reading client request headers');
const DUPLICATE_FIELD = refuse(400, 'client sent duplicate header line while reading client request headers');

/** Fields that may come once only, as in nginx: a second one is refused, whatever it says. */
const uniqueBit = new Uint32Array(256);
[
  'host',
  'content-length',
  'transfer-encoding',
  'expect',
  'authorization',
  'if-modified-since',
  'if-unmodified-since',
  'if-match',
  'if-none-match',
  'if-range',
].forEach((name, bit) => {
  uniqueBit[(HEADER_ID as Record<string, number>)[name] as number] = 1 << bit;
});

const H = 0x48;
const ONE = 0x31;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

const COMMON_METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'] as const;

/** Interned names for the usual methods: no string is made for them. */
function methodName(bytes: Buffer, start: number, end: number): string {
  next: for (const name of COMMON_METHODS) {
    if (name.length !== end - start) continue;
    for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name.charCodeAt(i)) continue next;
    return name;
  }
  return bytes.toString('latin1', start, end);
}

/**
 * HTTP/1.x request heads, incrementally: give it all bytes of the head so far, from offset 0, as often as more came.
 * One parser per connection; `reset` before each head. What it refuses is the design's framing list (RFC 9112 sections 2 to 6).
 */
export class RequestHeadParser {
  /** Set when `parse` returned BAD_FIELD. */
  refusal: HeadRefusal | null = null;
  /** Start of the line that is not whole yet. */
  readonly cursor = { at: 0 };
  #isLineDone = false;

  reset(): void {
    this.refusal = null;
    this.cursor.at = 0;
    this.#isLineDone = false;
  }

  /** Whether the request line is complete (what is too long then is a field, else the line). */
  get isLineDone(): boolean {
    return this.#isLineDone;
  }

  /** Offset behind the head; INCOMPLETE; or BAD_FIELD with `refusal` set. `bytes` must not move between the calls but by copying all of it. */
  parse(bytes: Buffer, length: number, head: RequestHead, rules: FieldRules): number {
    if (!this.#isLineDone) {
      const end = this.#parseLine(bytes, length, head);
      if (end === BAD_FIELD) return end;
      // `longest` bytes without a line end are a line that is too long, and so is a whole one of more.
      const longest = rules.maxLineBytes;
      const { at } = this.cursor;
      if (end === INCOMPLETE ? length - at >= longest : end - at > longest) {
        return this.#refuseLine(LINE_TOO_LONG, bytes, length, head, at);
      }
      if (end === INCOMPLETE) return end;
      this.#isLineDone = true;
      this.cursor.at = end;
      head.headers.reset(bytes);
      // HTTP/0.9: a line, no fields, an answer without a head.
      if (head.version === 9) {
        head.headBytes = end;
        return end;
      }
    }
    head.headers.bytes = bytes;
    const end = parseFieldLines(bytes, length, this.cursor, head.headers, rules);
    if (end === BAD_FIELD) return this.#refuse(BAD_HEADER_LINE);
    if (end === LONG_FIELD) return this.#refuse(FIELD_TOO_LONG);
    if (end === INCOMPLETE) {
      return length - this.cursor.at >= rules.maxLineBytes ? this.#refuse(FIELD_TOO_LONG) : INCOMPLETE;
    }
    head.headBytes = end;
    const refusal = readFraming(head);
    return refusal === null ? end : this.#refuse(refusal);
  }

  #refuse(refusal: HeadRefusal): number {
    this.refusal = refusal;
    return BAD_FIELD;
  }

  /** Keeps the offending line for `$request` in the log. */
  #refuseLine(refusal: HeadRefusal, bytes: Buffer, length: number, head: RequestHead, start: number): number {
    let end = start;
    while (end < length && bytes[end] !== LF && bytes[end] !== CR) end++;
    head.headers.reset(bytes);
    head.lineStart = start;
    head.lineEnd = end;
    return this.#refuse(refusal);
  }

  /** `method SP target SP HTTP/1.x` (RFC 9112 section 3), with nginx's tolerance for empty lines before it and extra spaces. */
  #parseLine(bytes: Buffer, length: number, head: RequestHead): number {
    let at = this.cursor.at;
    // 1. empty lines before the request (RFC 9112 section 2.2)
    while (at < length && (bytes[at] === CR || bytes[at] === LF)) at++;
    this.cursor.at = at;
    const start = at;

    // 2. method
    while (at < length && ((BYTE_CLASS[bytes[at] as number] as number) & METHOD_OK) !== 0) at++;
    if (at >= length) return INCOMPLETE;
    if (bytes[at] !== SPACE || at === start) return this.#refuseLine(BAD_METHOD, bytes, length, head, start);
    const methodEnd = at;

    // 3. target
    while (at < length && bytes[at] === SPACE) at++;
    const targetStart = at;
    while (at < length && ((BYTE_CLASS[bytes[at] as number] as number) & TARGET_OK) !== 0) at++;
    if (at >= length) return INCOMPLETE;
    const targetEnd = at;
    if (targetEnd === targetStart) return this.#refuseLine(BAD_REQUEST_LINE, bytes, length, head, start);

    // 4. version; none: HTTP/0.9
    while (at < length && bytes[at] === SPACE) at++;
    let version: 9 | 10 | 11 = 9;
    if (at < length && bytes[at] === H) {
      const versionEnd = at + 8;
      if (versionEnd > length) {
        return isPrefixOfVersion(bytes, at, length)
          ? INCOMPLETE
          : this.#refuseLine(BAD_REQUEST_LINE, bytes, length, head, start);
      }
      if (!isPrefixOfVersion(bytes, at, versionEnd)) {
        return this.#refuseLine(BAD_REQUEST_LINE, bytes, length, head, start);
      }
      const major = bytes[at + 5] as number;
      const minor = bytes[at + 7] as number;
      if (major < ONE || major > NINE) return this.#refuseLine(BAD_REQUEST_LINE, bytes, length, head, start);
      if (major !== ONE) return this.#refuseLine(BAD_VERSION, bytes, length, head, start);
      version = minor === ZERO ? 10 : 11;
      at = versionEnd;
      // 1.10 and on are later minor versions of 1.
      while (at < length && (bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) {
        version = 11;
        if (++at - versionEnd > 2) return this.#refuseLine(BAD_REQUEST_LINE, bytes, length, head, start);
      }
      while (at < length && bytes[at] === SPACE) at++;
    }
    if (at >= length) return INCOMPLETE;

    // 5. line end
    let end = at;
    if (bytes[end] === CR) {
      if (++end >= length) return INCOMPLETE;
    }
    if (bytes[end] !== LF) return this.#refuseLine(BAD_REQUEST_LINE, bytes, length, head, start);

    head.method = methodName(bytes, start, methodEnd);
    head.version = version;
    head.lineStart = start;
    head.lineEnd = at;
    head.headers.bytes = bytes;
    return this.#readTarget(bytes, targetStart, targetEnd, head) && (version !== 9 || head.method === 'GET')
      ? end + 1
      : this.#refuseLine(BAD_REQUEST_LINE, bytes, length, head, start);
  }

  /** Origin form, absolute form (its authority outranks Host, RFC 9112 section 3.2.2), or '*' for OPTIONS as nginx refuses it. */
  #readTarget(bytes: Buffer, start: number, end: number, head: RequestHead): boolean {
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
}

const VERSION = Buffer.from('HTTP/', 'latin1');

/** Is `bytes[start, end)`, at most eight bytes, the beginning of `HTTP/d.d`? */
function isPrefixOfVersion(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const place = i - start;
    const byte = bytes[i] as number;
    if (place < 5 ? byte !== VERSION[place] : place === 6 ? byte !== DOT : byte < ZERO || byte > NINE) return false;
  }
  return true;
}

/** Host, persistence and body framing from the fields (RFC 9112 sections 3.2, 6, 9.3); null when all is well. */
function readFraming(head: RequestHead): HeadRefusal | null {
  const { headers } = head;
  const { bytes, offsets } = headers;
  let seen = 0;
  let contentLengthAt = -1;
  let codingAt = -1;
  let hasUpgrade = false;
  let connectionAt = -1;
  for (let i = 0; i < headers.count; i++) {
    const id = headers.ids[i] as number;
    if (id === 0) continue;
    const bit = uniqueBit[id] as number;
    if (bit !== 0) {
      if ((seen & bit) !== 0) return id === HEADER_ID.host ? DUPLICATE_HOST : DUPLICATE_FIELD;
      seen |= bit;
    }
    if (id === HEADER_ID.host) head.rawHost ??= headers.value(i);
    else if (id === HEADER_ID['content-length']) contentLengthAt = i;
    else if (id === HEADER_ID['transfer-encoding']) codingAt = i;
    else if (id === HEADER_ID.connection) connectionAt = i;
    else if (id === HEADER_ID.upgrade) hasUpgrade = true;
    else if (id === HEADER_ID.expect) head.expectContinue = headers.value(i).toLowerCase() === '100-continue';
  }

  head.keepAlive = head.version === 11;
  if (connectionAt >= 0) {
    for (let i = connectionAt; i < headers.count; i++) {
      if (headers.ids[i] !== HEADER_ID.connection) continue;
      const value = headers.value(i);
      if (listHasToken(value, 'close')) head.keepAlive = false;
      else if (head.version === 10 && listHasToken(value, 'keep-alive')) head.keepAlive = true;
      if (hasUpgrade && listHasToken(value, 'upgrade')) head.upgrade = true;
    }
  }

  if (codingAt >= 0) {
    if (head.version < 11) return CODING_IN_10;
    if (contentLengthAt >= 0) return LENGTH_AND_CODING;
    if (headers.value(codingAt).toLowerCase() !== 'chunked') return CODING_UNKNOWN;
    head.framing = 'chunked';
    return null;
  }
  if (contentLengthAt >= 0) {
    const length = parseContentLength(
      bytes,
      offsets[contentLengthAt * 4 + 2] as number,
      offsets[contentLengthAt * 4 + 3] as number,
    );
    if (length < 0) return CONTENT_LENGTH_INVALID;
    head.contentLength = length;
    head.framing = length === 0 ? 'none' : 'length';
  }
  return null;
}
