import { turnMs, wallMs } from '../core/clock.ts';
import { NGINX_VERSION } from '../core/version.ts';
import type { HeaderBlock } from '../http/header-block.ts';
import { HEADER_ID } from '../http/known-header.ts';
import type { CoreSettings } from '../http/location.ts';
import { statusText } from '../http/reason-phrase.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { writeBytes, writeCrLf, writeDecimal, writeField, writeText } from './byte-writer.ts';

/** How the client learns where the body ends. */
export const RESPONSE_FRAMING = ['none', 'length', 'chunked', 'until-close'] as const;
export type ResponseFraming = (typeof RESPONSE_FRAMING)[number];

/** Fields that this writer makes itself: never copied from the upstream's. */
const madeHere = new Uint8Array(256);
for (const name of [
  'content-type',
  'content-length',
  'date',
  'server',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'last-modified',
] as const) {
  madeHere[HEADER_ID[name]] = 1;
}

/** `Server` as `server_tokens` has it. */
export const SERVER_TEXT: Readonly<Record<CoreSettings['serverTokens'], string>> = {
  on: `nginx/${NGINX_VERSION}`,
  build: `nginx/${NGINX_VERSION}`,
  off: 'nginx',
};

const line = (text: string) => Buffer.from(`${text}\r\n`, 'latin1');
const CHUNKED = line('Transfer-Encoding: chunked');
const KEEP_ALIVE = line('Connection: keep-alive');
const CLOSE = line('Connection: close');
const UPGRADE = line('Connection: upgrade');
const CONTENT_TYPE = Buffer.from('Content-Type: ', 'latin1');
const CONTENT_LENGTH = Buffer.from('Content-Length: ', 'latin1');
const LAST_MODIFIED = Buffer.from('Last-Modified: ', 'latin1');
const VARY = line('Vary: Accept-Encoding');
const KEEP_ALIVE_TIMEOUT = Buffer.from('Keep-Alive: timeout=', 'latin1');

/** The first lines (status, Server, Date) of the statuses sent in this second. */
const REFRESH_MS = 50;
let refreshedAtMs = Number.NEGATIVE_INFINITY;
let second = 0;
let dateText = '';
const firstLines: Readonly<Record<CoreSettings['serverTokens'], Map<number, Buffer>>> = {
  on: new Map(),
  off: new Map(),
  build: new Map(),
};

function refreshDate(): void {
  // The wall clock is asked a few times a second; `turnMs` is at hand anyway.
  const at = turnMs();
  if (at - refreshedAtMs < REFRESH_MS) return;
  refreshedAtMs = at;
  const now = Math.floor(wallMs() / 1000);
  if (now === second) return;
  second = now;
  dateText = new Date(now * 1000).toUTCString();
  firstLines.on.clear();
  firstLines.off.clear();
  firstLines.build.clear();
}

/** `Date` of what is sent now. */
export function dateNow(): string {
  refreshDate();
  return dateText;
}

function firstLinesOf(status: number, tokens: CoreSettings['serverTokens']): Buffer {
  const known = firstLines[tokens];
  let lines = known.get(status);
  if (lines === undefined) {
    lines = line(`HTTP/1.1 ${statusText(status)}\r\nServer: ${SERVER_TEXT[tokens]}\r\nDate: ${dateText}`);
    known.set(status, lines);
  }
  return lines;
}

const put = (bytes: Buffer, at: number, source: Buffer) => writeBytes(bytes, at, source, 0, source.length);

/** Upper bound of the head's size in bytes, to make room before `writeResponseHead`. */
export function responseHeadBound(head: ResponseHead): number {
  let bound = 512 + head.statusLine.length + head.lastModified.length;
  // One that passes as it came is counted with the others.
  if (head.contentTypeAt < 0) bound += head.contentType.length;
  if (head.server !== null) bound += head.server.length;
  for (const text of head.added) bound += text.length + 4;
  // Each field grows by at most ": " and CRLF.
  if (head.passed !== null) bound += passedBytes(head.passed) + head.passed.count * 4;
  return bound;
}

function passedBytes(block: HeaderBlock): number {
  return block.count === 0 ? 0 : (block.offsets[block.count * 4 - 1] as number) - (block.offsets[0] as number);
}

/**
 * A final response's head in HTTP/1.1 (RFC 9112 section 4), fields in nginx's order. All of it is written anew: no byte of a peer's
 * framing or line ends is passed on. Returns where it ends.
 */
export function writeResponseHead(
  bytes: Buffer,
  start: number,
  head: ResponseHead,
  core: CoreSettings,
  framing: ResponseFraming,
  isKeepAlive: boolean,
): number {
  refreshDate();
  let at = start;

  // 1. status line, Server, Date
  const standardText = statusText(head.status);
  if ((head.statusLine === '' || head.statusLine === standardText) && head.date === '' && head.server === '') {
    at = put(bytes, at, firstLinesOf(head.status, core.serverTokens));
  } else {
    at = writeText(bytes, at, 'HTTP/1.1 ');
    at = writeCrLf(bytes, writeText(bytes, at, head.statusLine === '' ? standardText : head.statusLine));
    const { server, date } = head;
    if (server !== null) at = writeField(bytes, at, 'Server', server === '' ? SERVER_TEXT[core.serverTokens] : server);
    if (date !== null) at = writeField(bytes, at, 'Date', date === '' ? dateText : date);
  }

  // 2. what the body is and how long
  if (head.contentTypeAt >= 0 && head.passed !== null) {
    at = writeCrLf(bytes, writeValue(bytes, put(bytes, at, CONTENT_TYPE), head.passed, head.contentTypeAt));
  } else {
    const { contentType } = head;
    if (contentType !== '') at = writeCrLf(bytes, writeText(bytes, put(bytes, at, CONTENT_TYPE), contentType));
  }
  if (head.contentLength >= 0) {
    at = writeDecimal(bytes, put(bytes, at, CONTENT_LENGTH), head.contentLength);
    at = writeCrLf(bytes, at);
  }
  if (head.lastModified !== '') {
    at = writeCrLf(bytes, writeText(bytes, put(bytes, at, LAST_MODIFIED), head.lastModified));
  }
  if (framing === 'chunked') at = put(bytes, at, CHUNKED);

  // 3. what becomes of the connection
  if (head.status === 101) at = put(bytes, at, UPGRADE);
  else if (!isKeepAlive) at = put(bytes, at, CLOSE);
  else {
    at = put(bytes, at, KEEP_ALIVE);
    if (core.keepaliveHeaderSec > 0) {
      at = writeCrLf(bytes, writeDecimal(bytes, put(bytes, at, KEEP_ALIVE_TIMEOUT), core.keepaliveHeaderSec));
    }
  }

  // 4. everything else
  if (head.variesByEncoding) at = put(bytes, at, VARY);
  if (head.passed !== null) at = writePassed(bytes, at, head.passed, head.lastModified === '');
  const { added } = head;
  for (let i = 0; i < added.length; i += 2) {
    at = writeField(bytes, at, added[i] as string, added[i + 1] as string);
  }
  return writeCrLf(bytes, at);
}

function writeValue(bytes: Buffer, at: number, block: HeaderBlock, index: number): number {
  const start = block.offsets[index * 4 + 2] as number;
  return writeBytes(bytes, at, block.bytes, start, block.offsets[index * 4 + 3] as number);
}

/** The upstream's fields that are not hidden and not made here. */
function writePassed(bytes: Buffer, start: number, block: HeaderBlock, withLastModified: boolean): number {
  const { offsets, ids, hidden, count } = block;
  const source = block.bytes;
  let at = start;
  for (let i = 0; i < count; i++) {
    if (hidden[i] !== 0) continue;
    const id = ids[i] as number;
    if (madeHere[id] !== 0 && !(withLastModified && id === HEADER_ID['last-modified'])) continue;
    at = writeBytes(bytes, at, source, offsets[i * 4] as number, offsets[i * 4 + 1] as number);
    bytes[at++] = 0x3a;
    bytes[at++] = 0x20;
    at = writeBytes(bytes, at, source, offsets[i * 4 + 2] as number, offsets[i * 4 + 3] as number);
    bytes[at++] = 0x0d;
    bytes[at++] = 0x0a;
  }
  return at;
}

/** An interim response (103) or a trailer section: fields as they came. Returns the text to send. */
export function fieldsText(block: HeaderBlock): string {
  let text = '';
  for (let i = 0; i < block.count; i++) {
    if (block.hidden[i] === 0 && madeHere[block.id(i)] === 0) text += `${block.name(i)}: ${block.value(i)}\r\n`;
  }
  return text;
}
