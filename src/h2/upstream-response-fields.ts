import { parseContentLength } from '../h1/field-lines.ts';
import { HeaderBlock } from '../http/header-block.ts';
import { HEADER_ID, knownHeaderIdOf } from '../http/known-header.ts';
import { statusText } from '../http/reason-phrase.ts';
import type { UpstreamResponseHead } from '../http/upstream-response-head.ts';

/** Of an HTTP/1 connection: nghttp2 refuses them, and none may come through all the same (RFC 9113 section 8.2.2). */
const CONNECTION_FIELDS: readonly number[] = [
  HEADER_ID.connection,
  HEADER_ID['keep-alive'],
  HEADER_ID['proxy-connection'],
  HEADER_ID['transfer-encoding'],
  HEADER_ID.upgrade,
];

/** Name and value in turn, as Node gives them. Bytes they would take in HTTP/1. */
export function fieldBytes(raw: readonly string[]): number {
  let bytes = 2;
  for (const text of raw) bytes += text.length + 2;
  return bytes;
}

/** Puts a head into `head`: '' when sound, else why not, in nginx's words. `hasBody` false: the stream ended with it. */
export function readResponseHead(
  head: UpstreamResponseHead,
  raw: readonly string[],
  isHeadRequest: boolean,
  hasBody: boolean,
): string {
  head.reset();
  head.reserve(fieldBytes(raw));
  head.headers.reset(head.storage);
  head.stored = writeFields(head.storage, raw, head.headers);
  head.headBytes = head.stored;
  const at = raw.indexOf(':status');
  const status = Number(raw[at + 1]);
  if (at < 0 || at % 2 === 1 || !Number.isInteger(status) || status < 100 || status > 999) {
    return 'upstream sent invalid header: no valid ":status"';
  }
  head.status = status;
  head.statusLine = statusText(status);
  head.keepAlive = true;
  return readLength(head, isHeadRequest, hasBody);
}

export function readTrailers(raw: readonly string[]): HeaderBlock | null {
  const block = new HeaderBlock();
  const bytes = Buffer.allocUnsafe(fieldBytes(raw));
  block.reset(bytes);
  writeFields(bytes, raw, block);
  return block.count === 0 ? null : block;
}

/** Returns where they end. */
function writeFields(bytes: Buffer, raw: readonly string[], block: HeaderBlock): number {
  let at = 0;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (name.startsWith(':')) continue;
    const id = knownHeaderIdOf(name);
    if (CONNECTION_FIELDS.includes(id)) continue;
    const nameEnd = at + bytes.write(name, at, 'latin1');
    const valueStart = nameEnd + bytes.write(': ', nameEnd, 'latin1');
    const valueEnd = valueStart + bytes.write(value, valueStart, 'latin1');
    block.add(at, nameEnd, valueStart, valueEnd, id);
    at = valueEnd + bytes.write('\r\n', valueEnd, 'latin1');
  }
  return at;
}

function readLength(head: UpstreamResponseHead, isHeadRequest: boolean, hasBody: boolean): string {
  const { headers } = head;
  const at = headers.find(HEADER_ID['content-length']);
  let length = -1;
  if (at >= 0) {
    const { offsets, bytes } = headers;
    length = parseContentLength(bytes, offsets[at * 4 + 2] as number, offsets[at * 4 + 3] as number);
    if (length < 0) return `upstream sent invalid "Content-Length" header: "${headers.value(at)}"`;
    for (let i = at + 1; i < headers.count; i++) {
      if (headers.id(i) === HEADER_ID['content-length']) {
        return 'upstream sent duplicate header line: "Content-Length"';
      }
    }
  }
  head.contentLength = length;
  const isBodiless = isHeadRequest || head.status < 200 || head.status === 204 || head.status === 304;
  if (isBodiless || !hasBody || length === 0) head.framing = 'none';
  // Where no length is said the frames tell the end.
  else head.framing = length < 0 ? 'chunked' : 'length';
  return '';
}
