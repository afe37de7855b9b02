import { BYTE_CLASS, CR, LF, SPACE, VALUE_OK } from '../core/byte-tables.ts';
import { HEADER_ID } from '../http/known-header.ts';
import { statusText } from '../http/reason-phrase.ts';
import type { UpstreamResponseHead } from '../http/upstream-response-head.ts';
import {
  BAD_FIELD,
  badLineText,
  FieldReader,
  fieldHasToken,
  INCOMPLETE,
  parseContentLength,
  parseFieldLines,
} from './field-lines.ts';

const PREFIX = Buffer.from('HTTP/1.', 'latin1');
const ZERO = 0x30;
const NINE = 0x39;

const BAD_STATUS_LINE = 'upstream sent no valid HTTP/1.0 header';

/**
 * A peer's response head, incrementally, over `head.storage`. A malformed one is never passed on: the caller destroys the connection.
 */
export class ResponseHeadParser {
  readonly #reader = new FieldReader();
  /** In nginx's words, set when `parse` returned BAD_FIELD. */
  refusal = '';
  #isLineDone = false;

  reset(): void {
    this.#reader.at = 0;
    this.refusal = '';
    this.#isLineDone = false;
  }

  /** Offset behind the head; INCOMPLETE; or BAD_FIELD. `isHeadRequest`: the answer to HEAD has no body. */
  parse(head: UpstreamResponseHead, isHeadRequest: boolean): number {
    const bytes = head.storage;
    const length = head.stored;
    if (!this.#isLineDone) {
      const end = this.#parseStatusLine(bytes, length, head);
      if (end === BAD_FIELD) {
        this.refusal = BAD_STATUS_LINE;
        return BAD_FIELD;
      }
      if (end < 0) return end;
      this.#isLineDone = true;
      this.#reader.at = end;
      head.headers.reset(bytes);
    }
    head.headers.bytes = bytes;
    const end = parseFieldLines(bytes, length, this.#reader, head.headers);
    if (end === BAD_FIELD) {
      this.refusal = `upstream sent invalid header: ${badLineText(bytes, this.#reader)}`;
      return BAD_FIELD;
    }
    if (end < 0) return end;
    head.headBytes = end;
    const refusal = readFraming(head, isHeadRequest);
    if (refusal === '') return end;
    this.refusal = refusal;
    return BAD_FIELD;
  }

  /** `HTTP/1.x SP 3DIGIT [SP reason]` (RFC 9112 section 4). */
  #parseStatusLine(bytes: Buffer, length: number, head: UpstreamResponseHead): number {
    const known = Math.min(length, PREFIX.length);
    for (let i = 0; i < known; i++) if (bytes[i] !== PREFIX[i]) return BAD_FIELD;
    if (length < PREFIX.length + 5) return INCOMPLETE;
    let at = PREFIX.length;
    const minor = bytes[at] as number;
    if (minor < ZERO || minor > NINE || bytes[at + 1] !== SPACE) return BAD_FIELD;
    at += 2;
    while (at < length && bytes[at] === SPACE) at++;
    const statusStart = at;
    if (at + 4 > length) return INCOMPLETE;
    let status = 0;
    for (let i = 0; i < 3; i++, at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) return BAD_FIELD;
      status = status * 10 + digit;
    }
    if (status < 100) return BAD_FIELD;
    const after = bytes[at] as number;
    if (after !== SPACE && after !== CR && after !== LF) return BAD_FIELD;
    while (at < length && ((BYTE_CLASS[bytes[at] as number] as number) & VALUE_OK) !== 0) at++;
    if (at >= length) return INCOMPLETE;
    let end = at;
    if (bytes[end] === CR) {
      if (++end >= length) return INCOMPLETE;
    }
    if (bytes[end] !== LF) return BAD_FIELD;
    head.status = status;
    head.version = minor === ZERO ? 10 : 11;
    // The usual phrase makes no string.
    const usual = statusText(status);
    head.statusLine = holds(bytes, statusStart, at, usual) ? usual : bytes.toString('latin1', statusStart, at);
    return end + 1;
  }
}

function holds(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Framing and persistence of a response (RFC 9112 sections 6.3 and 9.3); '' when sound, else why not. */
function readFraming(head: UpstreamResponseHead, isHeadRequest: boolean): string {
  const { headers } = head;
  const { bytes, offsets } = headers;
  let lengthAt = -1;
  let codingAt = -1;
  head.keepAlive = head.version === 11;
  for (let i = 0; i < headers.count; i++) {
    const id = headers.ids[i] as number;
    if (id === 0) continue;
    if (id === HEADER_ID['content-length']) {
      if (lengthAt >= 0) return 'upstream sent duplicate header line: "Content-Length"';
      lengthAt = i;
    } else if (id === HEADER_ID['transfer-encoding']) {
      if (codingAt >= 0) return 'upstream sent duplicate header line: "Transfer-Encoding"';
      codingAt = i;
    } else if (id === HEADER_ID.connection) {
      if (fieldHasToken(headers, i, 'close')) head.keepAlive = false;
      else if (head.version === 10 && fieldHasToken(headers, i, 'keep-alive')) head.keepAlive = true;
    }
  }

  let length = -1;
  if (lengthAt >= 0) {
    length = parseContentLength(bytes, offsets[lengthAt * 4 + 2] as number, offsets[lengthAt * 4 + 3] as number);
    if (length < 0) return `upstream sent invalid "Content-Length" header: "${headers.value(lengthAt)}"`;
  }
  if (codingAt >= 0) {
    if (lengthAt >= 0) return 'upstream sent "Content-Length" and "Transfer-Encoding" headers at the same time';
    if (head.version < 11 || headers.value(codingAt).toLowerCase() !== 'chunked') {
      return `upstream sent unknown "Transfer-Encoding": "${headers.value(codingAt)}"`;
    }
  }

  if (isHeadRequest || head.status < 200 || head.status === 204 || head.status === 304) {
    // The length that a HEAD or a 304 announces is passed on; there is no body all the same.
    head.contentLength = length;
    head.framing = 'none';
  } else if (codingAt >= 0) {
    head.framing = 'chunked';
  } else if (length >= 0) {
    head.contentLength = length;
    head.framing = length === 0 ? 'none' : 'length';
  } else {
    head.framing = 'until-close';
    head.keepAlive = false;
  }
  return '';
}
