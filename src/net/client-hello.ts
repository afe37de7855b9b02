/** What a TLS ClientHello (RFC 8446 section 4.1.2) says that matters before OpenSSL sees it. */
export interface ClientHello {
  /** server_name; ''. */
  readonly serverName: string;
  readonly ciphers: readonly number[];
  /** supported_groups. */
  readonly groups: readonly number[];
  /** legacy_session_id, hexadecimal: the session that is to be resumed up to TLS 1.2, noise in TLS 1.3. '' = none. */
  readonly sessionId: string;
  /** session_ticket up to TLS 1.2 (RFC 5077); empty = none. */
  readonly ticket: Buffer;
  /** The first identity of pre_shared_key (RFC 8446 section 4.2.11): ticket or session id of TLS 1.3; empty = none. */
  readonly identity: Buffer;
  readonly offersTls13: boolean;
  /** status_request: it wants an OCSP response. */
  readonly asksForStatus: boolean;
  readonly signatureAlgorithms: readonly number[];
}

/** `more`: the hello is not whole yet. `unreadable`: OpenSSL will say what is wrong. */
export type HelloResult =
  | { readonly kind: 'more' | 'unreadable' }
  | { readonly kind: 'whole'; readonly hello: ClientHello };

const MORE: HelloResult = { kind: 'more' };
const UNREADABLE: HelloResult = { kind: 'unreadable' };
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const RECORD_HEAD_BYTES = 5;
/** OpenSSL takes hellos of up to 128 KiB; nobody sends more than a few records. */
const MAX_HELLO_BYTES = 65_536;
const SERVER_NAME = 0;
const STATUS_REQUEST = 5;
const SUPPORTED_GROUPS = 10;
const SIGNATURE_ALGORITHMS = 13;
const SESSION_TICKET = 35;
const PRE_SHARED_KEY = 41;
const SUPPORTED_VERSIONS = 43;
const TLS_13 = 0x0304;

/** Reads the first handshake message of a connection's bytes; it may be spread over several records. */
export function readClientHello(bytes: Buffer): HelloResult {
  // Records of a few bytes each make it longer, but not without end.
  if (bytes.length > 2 * MAX_HELLO_BYTES) return UNREADABLE;
  const body = handshakeBytes(bytes);
  if (body === null) return UNREADABLE;
  if (body.length < 4) return MORE;
  const length = body.readUIntBE(1, 3);
  if (body[0] !== CLIENT_HELLO || length > MAX_HELLO_BYTES) return UNREADABLE;
  if (body.length < 4 + length) return MORE;
  const hello = parseHello(new Reader(body.subarray(4, 4 + length)));
  return hello === null ? UNREADABLE : { kind: 'whole', hello };
}

/** Content of the handshake records as far as they have come; null: these are no handshake records. */
function handshakeBytes(bytes: Buffer): Buffer | null {
  const parts: Buffer[] = [];
  for (let at = 0; at + RECORD_HEAD_BYTES <= bytes.length; ) {
    if (bytes[at] !== HANDSHAKE || bytes[at + 1] !== 3) return null;
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > 0x4800) return null;
    parts.push(bytes.subarray(at + RECORD_HEAD_BYTES, at + RECORD_HEAD_BYTES + length));
    at += RECORD_HEAD_BYTES + length;
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

/** Fields one after the other; once something is missing, `isBroken` and everything reads as empty. */
class Reader {
  isBroken = false;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.isBroken ? 0 : this.#bytes.length - this.#at;
  }

  take(length: number): Buffer {
    if (length > this.left) {
      this.isBroken = true;
      return EMPTY;
    }
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }

  number(bytes: 1 | 2): number {
    const taken = this.take(bytes);
    return this.isBroken ? 0 : taken.readUIntBE(0, bytes);
  }

  /** A field behind its own length. */
  vector(lengthBytes: 1 | 2): Buffer {
    return this.take(this.number(lengthBytes));
  }
}

const EMPTY = Buffer.alloc(0);

/** What OpenSSL is left to judge by itself. */
export const NO_HELLO: ClientHello = {
  serverName: '',
  ciphers: [],
  groups: [],
  sessionId: '',
  ticket: EMPTY,
  identity: EMPTY,
  offersTls13: false,
  asksForStatus: false,
  signatureAlgorithms: [],
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function parseHello(reader: Reader): ClientHello | null {
  const hello: Mutable<ClientHello> = { ...NO_HELLO };
  reader.take(2 + 32); // version, random
  hello.sessionId = reader.vector(1).toString('hex');
  hello.ciphers = numbers(reader.vector(2));
  reader.vector(1); // compression
  const extensions = new Reader(reader.left === 0 ? EMPTY : reader.vector(2));
  while (extensions.left > 0) {
    const type = extensions.number(2);
    readExtension(type, extensions.vector(2), hello);
  }
  return reader.isBroken || extensions.isBroken ? null : hello;
}

function readExtension(type: number, bytes: Buffer, hello: Mutable<ClientHello>): void {
  const data = new Reader(bytes);
  switch (type) {
    case SERVER_NAME:
      hello.serverName = hostName(data);
      return;
    case STATUS_REQUEST:
      hello.asksForStatus = true;
      return;
    case SUPPORTED_GROUPS:
      hello.groups = numbers(data.vector(2));
      return;
    case SIGNATURE_ALGORITHMS:
      hello.signatureAlgorithms = numbers(data.vector(2));
      return;
    case SESSION_TICKET:
      hello.ticket = bytes;
      return;
    case PRE_SHARED_KEY:
      hello.identity = new Reader(data.vector(2)).vector(2);
      return;
    case SUPPORTED_VERSIONS:
      hello.offersTls13 = numbers(data.vector(1)).includes(TLS_13);
      return;
  }
}

function hostName(data: Reader): string {
  const list = new Reader(data.vector(2));
  const type = list.number(1);
  const name = list.vector(2);
  return list.isBroken || type !== 0 ? '' : name.toString('latin1');
}

function numbers(list: Buffer): number[] {
  return Array.from({ length: list.length >> 1 }, (_, i) => list.readUInt16BE(i * 2));
}
