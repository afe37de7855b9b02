import { addressTextOf } from '../http/address-text.ts';
import type { ProxyProtocol } from '../http/proxy-protocol.ts';

/** Nobody knows yet; the header's end and what it says (null: nothing about the client); or why it is refused, in nginx's words. */
export type PrefaceResult =
  | { readonly kind: 'more' }
  | { readonly kind: 'whole'; readonly end: number; readonly info: ProxyProtocol | null }
  | { readonly kind: 'refused'; readonly reason: string };

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';
const V1_START = 'PROXY ';
const V2_HEAD_BYTES = 16;
const MOST_PORT = 65_535;
const MORE: PrefaceResult = { kind: 'more' };

/**
 * Reads a PROXY protocol header, version 1 or 2, from the bytes that came so far (a byte string). `maxBytes`: more than that no header may
 * have (nginx: what one buffer of client_header_buffer_size holds).
 */
export function readProxyPreface(bytes: string, maxBytes: number): PrefaceResult {
  if (startsAlike(bytes, SIGNATURE)) return readV2(bytes, maxBytes);
  return startsAlike(bytes, V1_START) ? readV1(bytes.slice(0, maxBytes), maxBytes) : broken(bytes);
}

function startsAlike(bytes: string, start: string): boolean {
  return bytes.length < start.length ? start.startsWith(bytes) : bytes.startsWith(start);
}

/** `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n`, `PROXY UNKNOWN …\r\n`. */
function readV1(bytes: string, maxBytes: number): PrefaceResult {
  const end = bytes.indexOf('\n') + 1;
  if (end === 0) return bytes.length < maxBytes ? MORE : broken(bytes);
  if (bytes.startsWith('PROXY UNKNOWN')) return readUnknown(bytes, maxBytes);
  const match = /^PROXY TCP[46] ([0-9A-Fa-f:.]*) ([0-9A-Fa-f:.]*) (\d+) (\d+)\r\n$/.exec(bytes.slice(0, end));
  if (match === null) return broken(bytes);
  const [, clientAddress = '', serverAddress = '', clientPort = '', serverPort = ''] = match;
  if (Number(clientPort) > MOST_PORT || Number(serverPort) > MOST_PORT) return broken(bytes);
  const info = {
    clientAddress,
    clientPort: Number(clientPort),
    serverAddress,
    serverPort: Number(serverPort),
    tlvs: '',
  };
  return { kind: 'whole', end, info };
}

/** Whatever stands up to the first CRLF. */
function readUnknown(bytes: string, maxBytes: number): PrefaceResult {
  const at = bytes.indexOf('\r\n', 'PROXY UNKNOWN'.length);
  if (at >= 0) return { kind: 'whole', end: at + 2, info: null };
  return bytes.length < maxBytes ? MORE : broken(bytes);
}

/** nginx shows the first line. */
function broken(bytes: string): PrefaceResult {
  return { kind: 'refused', reason: `broken header: "${/^[^\r\n]*/.exec(bytes)?.[0] ?? ''}"` };
}

/**
 * ```
 *   signature  version|command  family|transport  length  addresses, ports   TLVs
 *   12 bytes   4 bits  4 bits   4 bits  4 bits    2       12 or 36           the rest
 * ```
 */
function readV2(bytes: string, maxBytes: number): PrefaceResult {
  if (bytes.length < V2_HEAD_BYTES) return MORE;
  const version = bytes.charCodeAt(12) >> 4;
  if (version !== 2) return { kind: 'refused', reason: `unknown PROXY protocol version: ${version}` };
  const end = V2_HEAD_BYTES + uint16(bytes, 14);
  if (end > maxBytes) return { kind: 'refused', reason: 'header is too large' };
  if (bytes.length < end) return MORE;
  const isProxied = (bytes.charCodeAt(12) & 0xf) === 1;
  const isStream = (bytes.charCodeAt(13) & 0xf) === 1;
  const family = bytes.charCodeAt(13) >> 4;
  // A connection of the balancer's own (LOCAL), and what is not TCP, says nothing of a client.
  if (!isProxied || !isStream || (family !== 1 && family !== 2)) return { kind: 'whole', end, info: null };
  const size = family === 1 ? 4 : 16;
  const ports = V2_HEAD_BYTES + 2 * size;
  if (ports + 4 > end) return { kind: 'refused', reason: '' };
  const info = {
    clientAddress: addressTextOf(bytes.slice(V2_HEAD_BYTES, V2_HEAD_BYTES + size)),
    clientPort: uint16(bytes, ports),
    serverAddress: addressTextOf(bytes.slice(V2_HEAD_BYTES + size, ports)),
    serverPort: uint16(bytes, ports + 2),
    tlvs: bytes.slice(ports + 4, end),
  };
  return { kind: 'whole', end, info };
}

function uint16(bytes: string, at: number): number {
  return bytes.charCodeAt(at) * 256 + bytes.charCodeAt(at + 1);
}
