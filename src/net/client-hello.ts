/** What a TLS ClientHello (RFC 8446 section 4.1.2) says that matters before OpenSSL sees it. */
export interface ClientHello {
  /** server_name; ''. */
  readonly serverName: string;
  readonly ciphers: readonly number[];
  /** supported_groups. */
  readonly groups: readonly number[];
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
const SUPPORTED_GROUPS = 10;

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

function parseHello(reader: Reader): ClientHello | null {
  reader.take(2 + 32); // version, random
  reader.vector(1); // session id
  const ciphers = numbers(reader.vector(2));
  reader.vector(1); // compression
  let serverName = '';
  let groups: readonly number[] = [];
  const extensions = new Reader(reader.left === 0 ? EMPTY : reader.vector(2));
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const data = new Reader(extensions.vector(2));
    if (type === SERVER_NAME) serverName = hostName(data);
    else if (type === SUPPORTED_GROUPS) groups = numbers(data.vector(2));
  }
  return reader.isBroken || extensions.isBroken ? null : { serverName, ciphers, groups };
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
