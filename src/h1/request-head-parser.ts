import { CR, LF } from '../core/byte-tables.ts';
import type { ServerSettings } from '../http/location.ts';
import type { RequestHead } from '../http/request-head.ts';
import { BAD_FIELD, badLineText, INCOMPLETE, LONG_FIELD, parseFieldLines } from './field-lines.ts';
import { HeadReader } from './head-reader.ts';
import { type HeadRefusal, refusal } from './head-refusal.ts';
import { readFraming } from './request-framing.ts';
import { BAD_METHOD, BAD_OLD_METHOD, BAD_VERSION, parseRequestLine } from './request-line.ts';

const IN_HEADERS = 'while reading client request headers';

/**
 * HTTP/1.x request heads, incrementally: give it all bytes of the head so far, from offset 0, as often as more came.
 * One parser per connection; `begin` before each head. What it refuses is the design's framing list (RFC 9112 sections 2 to 6).
 */
export class RequestHeadParser {
  /** Set when `parse` returned BAD_FIELD. */
  refusal: HeadRefusal | null = null;
  readonly #reader = new HeadReader();
  #isLineDone = false;
  #isPipelined = false;

  /** `isPipelined`: the head came along with an earlier request; only the log makes a difference. */
  begin(settings: ServerSettings, isPipelined: boolean): void {
    this.refusal = null;
    this.#reader.begin(settings);
    this.#isLineDone = false;
    this.#isPipelined = isPipelined;
  }

  /** The request line is whole. */
  get isLineDone(): boolean {
    return this.#isLineDone;
  }

  /** Bytes of the lines that were taken, as nginx counts `$request_length`; 0 before the request line is whole. */
  lineBytes(head: RequestHead): number {
    return this.#isLineDone ? this.#reader.at - head.lineStart : 0;
  }

  /** What is being read, as nginx's log has it. */
  get doing(): string {
    if (this.#isLineDone) return IN_HEADERS;
    return this.#isPipelined ? 'while reading client pipelined request line' : 'while reading client request line';
  }

  /** Field lines that were left out because of their names. */
  get dropped(): readonly string[] {
    return this.#reader.dropped;
  }

  /** Offset behind the head; INCOMPLETE; or BAD_FIELD with `refusal` set. `bytes` must not move between the calls but by copying all of it. */
  parse(bytes: Buffer, length: number, head: RequestHead): number {
    const reader = this.#reader;
    if (!this.#isLineDone) {
      const end = this.#parseLine(bytes, length, head);
      if (end < 0) return end;
      this.#isLineDone = true;
      reader.at = end;
      head.headers.reset(bytes);
      // HTTP/0.9: a line, no fields, an answer without a head.
      if (head.version === 9) {
        head.headBytes = end;
        return end;
      }
    }
    head.headers.bytes = bytes;
    const end = parseFieldLines(bytes, length, reader, head.headers);
    if (end === BAD_FIELD) {
      return this.#refuse(refusal(400, `client sent invalid header line: ${badLineText(bytes, reader)} ${IN_HEADERS}`));
    }
    if (end === LONG_FIELD || (end === INCOMPLETE && !reader.fits(reader.at, length + 1))) {
      const line = reader.overlong(bytes, reader.at);
      return this.#refuse(refusal(494, `client sent too long header line: "${line}..." ${IN_HEADERS}`));
    }
    if (end === INCOMPLETE) return INCOMPLETE;
    head.headBytes = end;
    reader.at = end;
    const framing = readFraming(head);
    return framing === null ? end : this.#refuse(framing);
  }

  /** What came of the request line before the client fell silent, for `$request`. */
  keepPartialLine(bytes: Buffer, length: number, head: RequestHead): void {
    if (!this.#isLineDone) this.#keepLine(bytes, this.#reader.at, length, head);
  }

  #parseLine(bytes: Buffer, length: number, head: RequestHead): number {
    const reader = this.#reader;
    // Empty lines before the request (RFC 9112 section 2.2).
    while (reader.at < length && (bytes[reader.at] === CR || bytes[reader.at] === LF)) reader.at++;
    const start = reader.at;
    const end = parseRequestLine(bytes, start, length, head);
    if (end >= 0 && end <= reader.limit) return end;
    if (end === INCOMPLETE || end >= 0) {
      if (reader.fits(start, end === INCOMPLETE ? length + 1 : end)) return end;
      this.#keepLine(bytes, start, length, head);
      head.lineEnd = reader.limit;
      return this.#refuse(refusal(414, `client sent too long URI ${this.doing}`));
    }
    this.#keepLine(bytes, start, length, head);
    if (end === BAD_VERSION) return this.#refuse(refusal(505, `client sent invalid version ${this.doing}`));
    const what = end === BAD_METHOD ? 'method' : end === BAD_OLD_METHOD ? 'method in HTTP/0.9 request' : 'request';
    return this.#refuse(refusal(400, `client sent invalid ${what} ${this.doing}`));
  }

  #keepLine(bytes: Buffer, start: number, limit: number, head: RequestHead): void {
    let end = start;
    while (end < limit && bytes[end] !== LF && bytes[end] !== CR) end++;
    head.headers.reset(bytes);
    head.lineStart = start;
    head.lineEnd = end;
  }

  #refuse(refusal: HeadRefusal): number {
    this.refusal = refusal;
    return BAD_FIELD;
  }
}
