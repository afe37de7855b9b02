/** Reads HTTP/1 messages out of byte strings (latin1, one char = one byte), for test clients and test backends. Lenient where tests need it. */

export type Framing = 'none' | 'length' | 'chunked' | 'until-close';

export interface HttpMessage {
  /** Request line or status line. */
  readonly startLine: string;
  /** As sent: order and case kept, values trimmed. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Chunked framing taken off. */
  readonly body: string;
  readonly framing: Framing;
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** False when the connection ended in the middle of it. */
  readonly isComplete: boolean;
  /** Offset behind the message. */
  readonly end: number;
}

export interface ReadRules {
  /** The response has no body whatever its headers say: the request was HEAD. */
  readonly isToHead?: boolean;
  readonly isResponse: boolean;
  /** Nothing more will come. */
  readonly hasEnded: boolean;
}

type Fields = readonly (readonly [string, string])[];

/** The message that begins at `start`; `undefined` while bytes are missing and may still come. */
export function readMessage(bytes: string, start: number, rules: ReadRules): HttpMessage | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n', start);
  if (headEnd < 0) {
    if (!rules.hasEnded || start >= bytes.length) return undefined;
    const whole = bytes.slice(start);
    return {
      startLine: whole,
      headers: [],
      body: '',
      framing: 'none',
      trailers: [],
      isComplete: false,
      end: bytes.length,
    };
  }
  const [startLine = '', ...lines] = bytes.slice(start, headEnd).split('\r\n');
  const headers = lines.map(splitField);
  const bodyStart = headEnd + 4;
  const framing = framingOf(startLine, headers, rules);
  const body = readBody(bytes, bodyStart, framing, headers);
  if (framing === 'until-close') {
    if (!rules.hasEnded) return undefined;
    return {
      startLine,
      headers,
      body: bytes.slice(bodyStart),
      framing,
      trailers: [],
      isComplete: true,
      end: bytes.length,
    };
  }
  if (!body.isComplete && !rules.hasEnded) return undefined;
  return {
    startLine,
    headers,
    framing,
    body: body.data,
    trailers: body.trailers,
    isComplete: body.isComplete,
    end: body.end,
  };
}

/** First value of a header, names compared without case. */
export function headerOf(headers: Fields, name: string): string | undefined {
  return headers.find(([candidate]) => candidate.toLowerCase() === name)?.[1];
}

/** Status of a status line, 0 when it is none. */
export function statusOf(startLine: string): number {
  return Number(/^HTTP\/\d\.\d (\d{3})/.exec(startLine)?.[1] ?? 0);
}

function splitField(line: string): [string, string] {
  const colon = line.indexOf(':');
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function framingOf(startLine: string, headers: Fields, rules: ReadRules): Framing {
  if (rules.isResponse) {
    const status = statusOf(startLine);
    if (rules.isToHead || status === 204 || status === 304 || (status >= 100 && status < 200)) return 'none';
  }
  if (/(^|,)\s*chunked\s*$/i.test(headerOf(headers, 'transfer-encoding') ?? '')) return 'chunked';
  if (headerOf(headers, 'content-length') !== undefined) return 'length';
  return rules.isResponse ? 'until-close' : 'none';
}

interface Body {
  readonly data: string;
  readonly trailers: Fields;
  readonly isComplete: boolean;
  readonly end: number;
}

function readBody(bytes: string, start: number, framing: Framing, headers: Fields): Body {
  if (framing === 'chunked') return readChunked(bytes, start);
  const length = framing === 'length' ? Number(headerOf(headers, 'content-length')) || 0 : 0;
  const end = Math.min(start + length, bytes.length);
  return { data: bytes.slice(start, end), trailers: [], isComplete: bytes.length >= start + length, end };
}

function readChunked(bytes: string, start: number): Body {
  let data = '';
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.slice(at, lineEnd), 16);
    if (lineEnd < 0 || Number.isNaN(size)) return { data, trailers: [], isComplete: false, end: bytes.length };
    at = lineEnd + 2;
    if (size === 0) return readTrailers(bytes, at, data);
    if (at + size + 2 > bytes.length) {
      return { data: data + bytes.slice(at, at + size), trailers: [], isComplete: false, end: bytes.length };
    }
    data += bytes.slice(at, at + size);
    at += size + 2;
  }
}

function readTrailers(bytes: string, start: number, data: string): Body {
  const trailers: [string, string][] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return { data, trailers, isComplete: false, end: bytes.length };
    if (lineEnd === at) return { data, trailers, isComplete: true, end: at + 2 };
    trailers.push(splitField(bytes.slice(at, lineEnd)));
    at = lineEnd + 2;
  }
}
