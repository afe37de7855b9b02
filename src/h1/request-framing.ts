import type { HeaderBlock } from '../http/header-block.ts';
import { HEADER_ID } from '../http/known-header.ts';
import type { RequestHead } from '../http/request-head.ts';
import { fieldHasToken, parseContentLength } from './field-lines.ts';
import { type HeadRefusal, refusal } from './head-refusal.ts';

const DOING = 'while reading client request headers';
const LENGTH_INVALID = refusal(400, `client sent invalid "Content-Length" header ${DOING}`);
const LENGTH_AND_CODING = refusal(
  400,
  `client sent "Content-Length" and "Transfer-Encoding" headers at the same time ${DOING}`,
);
const CODING_IN_10 = refusal(400, `client sent HTTP/1.0 request with "Transfer-Encoding" header ${DOING}`);

/** Fields that may come once only, as in nginx: a second one is refused, whatever it says. */
const uniqueBit = new Uint32Array(256);
(
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
    'content-range',
  ] as const
).forEach((name, bit) => {
  uniqueBit[HEADER_ID[name]] = 1 << bit;
});

/** Host, persistence and body framing from the fields (RFC 9112 sections 3.2, 6, 9.3); null when all is well. */
export function readFraming(head: RequestHead): HeadRefusal | null {
  const { headers } = head;
  const { bytes, offsets } = headers;
  let seen = 0;
  let lengthAt = -1;
  let codingAt = -1;
  let hasUpgrade = false;
  let connectionAt = -1;
  for (let i = 0; i < headers.count; i++) {
    const id = headers.ids[i] as number;
    if (id === 0) continue;
    const bit = uniqueBit[id] as number;
    if (bit !== 0) {
      if ((seen & bit) !== 0) return duplicate(headers, i, id);
      seen |= bit;
    }
    if (id === HEADER_ID.host) head.rawHost ??= hostText(head, i);
    else if (id === HEADER_ID['content-length']) lengthAt = i;
    else if (id === HEADER_ID['transfer-encoding']) codingAt = i;
    else if (id === HEADER_ID.connection && connectionAt < 0) connectionAt = i;
    else if (id === HEADER_ID.upgrade) hasUpgrade = true;
    else if (id === HEADER_ID.expect) head.expectContinue = headers.value(i).toLowerCase() === '100-continue';
  }

  head.keepAlive = head.version === 11;
  if (connectionAt >= 0) readConnection(head, connectionAt, hasUpgrade);

  if (codingAt >= 0) {
    if (head.version < 11) return CODING_IN_10;
    if (lengthAt >= 0) return LENGTH_AND_CODING;
    const coding = headers.value(codingAt);
    if (coding.toLowerCase() !== 'chunked')
      return refusal(501, `client sent unknown "Transfer-Encoding": "${coding}" ${DOING}`);
    head.framing = 'chunked';
  } else if (lengthAt >= 0) {
    const length = parseContentLength(bytes, offsets[lengthAt * 4 + 2] as number, offsets[lengthAt * 4 + 3] as number);
    if (length < 0) return LENGTH_INVALID;
    head.contentLength = length;
    head.framing = length === 0 ? 'none' : 'length';
  }
  return null;
}

function hostText(head: RequestHead, at: number): string {
  const { headers, lastHost } = head;
  if (headers.hasValue(at, lastHost)) return lastHost;
  head.lastHost = headers.value(at);
  return head.lastHost;
}

/** All `Connection` fields from index `first` on (RFC 9110 section 7.6.1). */
function readConnection(head: RequestHead, first: number, hasUpgrade: boolean): void {
  const { headers } = head;
  for (let i = first; i < headers.count; i++) {
    if (headers.ids[i] !== HEADER_ID.connection) continue;
    if (fieldHasToken(headers, i, 'close')) head.keepAlive = false;
    else if (head.version === 10 && fieldHasToken(headers, i, 'keep-alive')) head.keepAlive = true;
    if (hasUpgrade && fieldHasToken(headers, i, 'upgrade')) head.upgrade = true;
  }
}

function duplicate(headers: HeaderBlock, at: number, id: number): HeadRefusal {
  const field = (index: number) => `"${headers.name(index)}: ${headers.value(index)}"`;
  const what = id === HEADER_ID.host ? 'host header' : 'header line';
  return refusal(
    400,
    `client sent duplicate ${what}: ${field(at)}, previous value: ${field(headers.find(id))} ${DOING}`,
  );
}
