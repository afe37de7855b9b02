/** What a connection's PROXY protocol header said of the client behind the balancer in front of us. */
export interface ProxyProtocol {
  readonly clientAddress: string;
  readonly clientPort: number;
  /** Where the client had connected to. */
  readonly serverAddress: string;
  readonly serverPort: number;
  /** Type-length-value records of version 2, one after the other, as a byte string; ''. */
  readonly tlvs: string;
}

/** Where a named value stands: its type, in the header itself or within the ssl record. */
const TYPES: ReadonlyMap<string, number> = new Map([
  ['alpn', 0x01],
  ['authority', 0x02],
  ['unique_id', 0x05],
  ['ssl', 0x20],
  ['netns', 0x30],
]);
const SSL_TYPES: ReadonlyMap<string, number> = new Map([
  ['version', 0x21],
  ['cn', 0x22],
  ['cipher', 0x23],
  ['sig_alg', 0x24],
  ['key_alg', 0x25],
]);

/** The ssl record begins with what the client did (a byte) and the result of its verification (four). */
const SSL_HEAD_BYTES = 5;

/** Finds a value among the records of a header; null when there is none, a text for the error log when they or the name are malformed. */
export type TlvReader = (tlvs: string) => string | null | { readonly failure: string };

/** Reader for the rest of `$proxy_protocol_tlv_NAME`: `alpn`, `0x01`, `ssl_cn`, `ssl_verify`, `ssl_0x22`. */
export function tlvReader(name: string): TlvReader {
  if (!name.startsWith('ssl_')) return lookup(name, TYPES, name);
  const inner = name.slice('ssl_'.length);
  const find = inner === 'verify' ? null : lookup(inner, SSL_TYPES, name);
  return (tlvs) => {
    const ssl = findType(tlvs, TYPES.get('ssl') ?? 0);
    if (typeof ssl !== 'string') return ssl;
    if (ssl.length < SSL_HEAD_BYTES) return null;
    return find === null ? verifyResult(ssl) : find(ssl.slice(SSL_HEAD_BYTES));
  };
}

function lookup(name: string, types: ReadonlyMap<string, number>, shown: string): TlvReader {
  const hex = /^0x([0-9a-f]+)$/i.exec(name);
  if (name.startsWith('0x') && hex === null) return () => ({ failure: `invalid PROXY protocol TLV "${shown}"` });
  const type = hex === null ? types.get(name) : Number.parseInt(hex[1] ?? '', 16);
  if (type === undefined) return () => ({ failure: `unknown PROXY protocol TLV "${shown}"` });
  return (tlvs) => findType(tlvs, type);
}

function verifyResult(ssl: string): string {
  let value = 0;
  for (let i = 1; i < SSL_HEAD_BYTES; i++) value = value * 256 + ssl.charCodeAt(i);
  return String(value);
}

function findType(tlvs: string, type: number): string | null | { readonly failure: string } {
  let at = 0;
  while (at < tlvs.length) {
    const start = at + 3;
    const end = start + tlvs.charCodeAt(at + 1) * 256 + tlvs.charCodeAt(at + 2);
    // NaN, where not even a head is left, is no number to compare with.
    if (!(end <= tlvs.length)) return { failure: 'broken PROXY protocol TLV' };
    if (tlvs.charCodeAt(at) === type) return tlvs.slice(start, end);
    at = end;
  }
  return null;
}
