import { BYTE_CLASS, METHOD_OK, TARGET_OK, VALUE_OK } from '../core/byte-tables.ts';
import { type HeadRefusal, refusal } from '../h1/head-refusal.ts';
import { readFraming } from '../h1/request-framing.ts';
import { HEADER_ID } from '../http/known-header.ts';
import type { ServerSettings } from '../http/location.ts';
import type { RequestHead } from '../http/request-head.ts';
import { HAS_UNDERSCORE, ID_MASK, IS_BAD, IS_CLEAN, nameInfo } from './name-table.ts';

const DOING = 'while reading client request headers';
const HOST = 'host';
const COOKIE = 'cookie';
/** nginx's 494: the request's head is too large. */
const TOO_LARGE = 494;

/** What is outside of the head itself, while it is read. */
export interface HeadReading {
  /** Names and values in turn, as they came. */
  readonly raw: readonly string[];
  /** No body follows. */
  readonly isEnd: boolean;
  readonly settings: ServerSettings;
  /** Gives storage for the head. */
  readonly storage: (bytes: number) => Buffer;
  /** A field was left out because of its name. */
  readonly onDropped: (name: string) => void;
}

/**
 * The fields of a request as RequestHead has them: a request line of HTTP/1's form, `Host` made of `:authority`, cookies joined (RFC 9113
 * section 8.2.3). What comes in was looked at by nghttp2; all that could be read as something else by a peer is refused here once more.
 * Null: all is well.
 */
export function readRequestHead(
  { raw, isEnd, settings, storage, onDropped }: HeadReading,
  head: RequestHead,
): HeadRefusal | null {
  // 1. The pseudo-header fields, which stand in front.
  let method = '';
  let path = '';
  let authority: string | null = null;
  let scheme = '';
  let at = 0;
  for (; at < raw.length; at += 2) {
    const name = raw[at] as string;
    if (name.charCodeAt(0) !== 0x3a) break;
    const value = raw[at + 1] as string;
    if (name === ':method') method = value;
    else if (name === ':path') path = value;
    else if (name === ':authority') authority = value;
    else if (name === ':scheme') scheme = value;
  }

  // 2. One text of all, with the offsets of its parts.
  const { headers } = head;
  let text = `${method} ${path} HTTP/2.0`;
  const lineEnd = text.length;
  headers.count = 0;
  let cookies: string | null = null;
  let refused: HeadRefusal | null = null;
  const { bytes: mostOfField } = settings.largeHeaderBuffers;
  if (authority !== null) {
    headers.add(
      lineEnd,
      lineEnd + HOST.length,
      lineEnd + HOST.length,
      lineEnd + HOST.length + authority.length,
      HEADER_ID.host,
    );
    text += HOST + authority;
  }
  for (let i = at; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    const info = nameInfo(name);
    if ((info & IS_BAD) !== 0) {
      refused ??= refusal(400, `client sent invalid header line: "${name}" ${DOING}`);
      continue;
    }
    if ((info & IS_CLEAN) === 0 || ((info & HAS_UNDERSCORE) !== 0 && !settings.underscoresInHeaders)) {
      if (settings.ignoreInvalidHeaders) {
        onDropped(name);
        continue;
      }
    }
    if (name.length + value.length > mostOfField)
      refused ??= refusal(TOO_LARGE, `client sent too large header field ${DOING}`);
    const id = info & ID_MASK;
    if (id === HEADER_ID.cookie) {
      cookies = cookies === null ? value : `${cookies}; ${value}`;
      continue;
    }
    if (id === HEADER_ID.host && authority !== null) {
      // RFC 9113 section 8.3.1: it must not say anything else.
      if (value.toLowerCase() !== authority.toLowerCase()) {
        refused ??= refusal(400, `client sent "host" header with value different from ":authority" ${DOING}`);
      }
      continue;
    }
    const start = text.length;
    text += name;
    const middle = text.length;
    text += value;
    headers.add(start, middle, middle, text.length, id);
  }
  if (cookies !== null) {
    const start = text.length;
    text += COOKIE;
    const middle = text.length;
    text += cookies;
    headers.add(start, middle, middle, text.length, HEADER_ID.cookie);
  }

  // 3. The bytes. A head that is too large is cut: only its line is told of.
  const { count, bytes: each } = settings.largeHeaderBuffers;
  if (text.length > count * each) {
    refused ??= refusal(TOO_LARGE, `client sent too large request ${DOING}`);
    headers.count = 0;
    text = text.slice(0, Math.min(lineEnd, each));
  }
  const bytes = storage(text.length);
  bytes.write(text, 0, text.length, 'latin1');
  headers.bytes = bytes;
  head.method = method;
  head.target = path;
  head.version = 20;
  head.lineStart = 0;
  head.lineEnd = Math.min(lineEnd, text.length);
  head.headBytes = text.length;
  if (authority !== null) head.rawHost = authority;
  if (refused !== null) return refused;

  // 4. What they may hold, whatever layer has looked at them before.
  const wrong = checkBytes(bytes, head, method, path, scheme);
  return wrong ?? readBody(head, isEnd);
}

function checkBytes(
  bytes: Buffer,
  head: RequestHead,
  method: string,
  path: string,
  scheme: string,
): HeadRefusal | null {
  const { headers } = head;
  const methodEnd = method.length;
  if (methodEnd === 0 || !consistsOf(bytes, 0, methodEnd, METHOD_OK)) {
    return refusal(400, `client sent invalid method: "${method}" ${DOING}`);
  }
  if (method !== 'CONNECT') {
    if (path === '') return refusal(400, `client sent no :path header ${DOING}`);
    if (scheme === '') return refusal(400, `client sent no :scheme header ${DOING}`);
  }
  if (method !== 'CONNECT' && path[0] !== '/') {
    // nginx refuses it before it reads on: nobody knows of fields then.
    headers.count = 0;
    return refusal(400, `client sent invalid :path header: "${path}" ${DOING}`);
  }
  if (!consistsOf(bytes, methodEnd + 1, methodEnd + 1 + path.length, TARGET_OK)) {
    return refusal(400, `client sent invalid :path header: "${path}" ${DOING}`);
  }
  for (let i = 0; i < headers.count; i++) {
    const start = headers.offsets[i * 4 + 2] as number;
    if (!consistsOf(bytes, start, headers.offsets[i * 4 + 3] as number, VALUE_OK)) {
      return refusal(400, `client sent header "${headers.name(i)}" with invalid value ${DOING}`);
    }
  }
  return null;
}

function consistsOf(bytes: Buffer, start: number, end: number, kind: number): boolean {
  for (let i = start; i < end; i++) if (((BYTE_CLASS[bytes[i] as number] as number) & kind) === 0) return false;
  return true;
}

/** How long the body is. Without a length it ends with the stream: what a body in chunks is in HTTP/1. */
function readBody(head: RequestHead, isEnd: boolean): HeadRefusal | null {
  const refused = readFraming(head);
  head.keepAlive = true;
  head.expectContinue = false;
  head.upgrade = false;
  if (refused !== null) return refused;
  if (isEnd) head.framing = 'none';
  else if (head.contentLength < 0) head.framing = 'chunked';
  return null;
}
