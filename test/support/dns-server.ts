import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { poll } from './deadline.ts';

/** One resource record that a name has. `ttl` in seconds; default 60. */
export type DnsRecord =
  | { readonly type: 'A' | 'AAAA'; readonly address: string; readonly ttl?: number }
  | { readonly type: 'CNAME'; readonly target: string; readonly ttl?: number }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
      readonly ttl?: number;
    };

/** Answers that are no records. `silent`: none ever comes; `garbage`: bytes that are no message. */
export const DNS_FAILURES = ['formerr', 'servfail', 'nxdomain', 'notimp', 'refused', 'silent', 'garbage'] as const;
export type DnsFailure = (typeof DNS_FAILURES)[number];

/** Records of those types that are asked for; none of them: an empty answer (NODATA). */
export type DnsAnswer = readonly DnsRecord[] | DnsFailure;

export interface DnsQuery {
  /** In lower case, without a dot at the end. */
  readonly name: string;
  /** `A`, `AAAA`, `SRV`, … or `TYPE99`. */
  readonly type: string;
  readonly transport: 'udp' | 'tcp';
}

/** What a name has, or a function that says so anew for each query; a promise holds the answer back. */
export type DnsSource = DnsAnswer | ((query: DnsQuery) => DnsAnswer | Promise<DnsAnswer>);

const TYPES: Readonly<Record<string, number>> = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, AAAA: 28, SRV: 33 };
const CODES: Readonly<Record<string, number>> = { formerr: 1, servfail: 2, nxdomain: 3, notimp: 4, refused: 5 };
const HEADER_BYTES = 12;
const IS_ANSWER = 0x8180;
const IS_TRUNCATED = 0x0200;

/** Addresses of either family, as records. */
export function addresses(list: readonly string[], ttl = 60): DnsRecord[] {
  return list.map((address) => ({ type: isIPv6(address) ? 'AAAA' : 'A', address, ttl }));
}

/**
 * A name server on loopback, UDP and TCP on one port. Names are set and changed at any time; what nobody has set is NXDOMAIN.
 *
 * ```ts
 * const dns = await DnsServer.start();
 * dns.set('app.test', addresses(['127.0.0.1', '127.0.0.2'], 5));
 * dns.set('down.test', 'servfail');
 * dns.set('odd.test', ({ type }) => (type === 'A' ? addresses(['127.0.0.1']) : 'silent'));
 * dns.truncate('large.test'); // by UDP nothing but "ask again by TCP"
 * // … resolver 127.0.0.1:${dns.port}; …
 * dns.queries; // all that was asked
 * await dns.stop();
 * ```
 */
export class DnsServer {
  readonly port: number;
  readonly queries: DnsQuery[] = [];
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #names = new Map<string, DnsSource>();
  readonly #truncated = new Set<string>();
  readonly #sockets = new Set<Socket>();

  private constructor(udp: UdpSocket, tcp: Server, port: number) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.port = port;
    udp.on('message', (bytes, from) => {
      void this.#answer(bytes, 'udp').then((reply) => {
        if (reply !== null) udp.send(reply, from.port, from.address, () => undefined);
      });
    });
    tcp.on('connection', (socket) => this.#serve(socket));
  }

  /** Default address: 127.0.0.1; default port: any that is free for both. */
  static async start(address = '127.0.0.1', port = 0): Promise<DnsServer> {
    for (let tries = 0; ; tries++) {
      const tcp = createServer();
      await new Promise<void>((resolve, reject) => tcp.once('error', reject).listen(port, address, resolve));
      const at = (tcp.address() as { port: number }).port;
      const udp = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
      const isBound = await new Promise<boolean>((resolve) => {
        udp.once('error', () => resolve(false)).bind(at, address, () => resolve(true));
      });
      if (isBound) return new DnsServer(udp.removeAllListeners('error'), tcp, at);
      udp.close();
      await new Promise((resolve) => tcp.close(resolve));
      if (port !== 0 || tries > 10) throw new Error(`no UDP socket for ${address}:${at}`);
    }
  }

  /** From now on. */
  set(name: string, source: DnsSource): void {
    this.#names.set(name.toLowerCase(), source);
  }

  /** Forgets a name: NXDOMAIN. */
  remove(name: string): void {
    this.#names.delete(name.toLowerCase());
  }

  /** By UDP the name's answers are empty and say that they are cut off; by TCP they are whole. */
  truncate(name: string): void {
    this.#truncated.add(name.toLowerCase());
  }

  /** Of one name, in the order in which they came. */
  queriesOf(name: string): DnsQuery[] {
    return this.queries.filter((query) => query.name === name.toLowerCase());
  }

  /** Waits until so many queries of the name have come. */
  async untilAsked(name: string, count = 1, deadlineMs = 5000): Promise<void> {
    const done = await poll(() => (this.queriesOf(name).length >= count ? true : undefined), deadlineMs);
    if (done !== true) throw new Error(`${this.queriesOf(name).length} queries of ${name} came, not ${count}`);
  }

  /** Drops the list of queries. */
  forget(): void {
    this.queries.length = 0;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#udp.close(() => resolve()));
    await new Promise((resolve) => this.#tcp.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined); // the client went away
    let read = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      read = Buffer.concat([read, chunk as Buffer]);
      while (read.length >= 2 && read.length >= 2 + read.readUInt16BE(0)) {
        const end = 2 + read.readUInt16BE(0);
        const message = read.subarray(2, end);
        read = read.subarray(end);
        void this.#answer(message, 'tcp').then((reply) => {
          if (reply !== null && !socket.destroyed) socket.write(Buffer.concat([uint16(reply.length), reply]));
        });
      }
    });
  }

  async #answer(message: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | null> {
    const asked = readQuestion(message);
    if (asked === null) return null;
    const query: DnsQuery = { name: asked.name, type: asked.type, transport };
    this.queries.push(query);
    const found = await this.#find(query);
    if (found === 'silent') return null;
    if (found === 'garbage') return Buffer.from('this is no DNS message');
    const isCut = transport === 'udp' && this.#truncated.has(query.name);
    const records = isCut || typeof found === 'string' ? [] : found.map((one) => recordBytes(one.owner, one.record));
    const flags = IS_ANSWER | (isCut ? IS_TRUNCATED : 0) | (typeof found === 'string' ? (CODES[found] ?? 2) : 0);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt16BE(message.readUInt16BE(0), 0);
    header.writeUInt16BE(flags, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    return Buffer.concat([header, asked.bytes, ...records]);
  }

  /** Follows CNAMEs, as a recursive server does. */
  async #find(query: DnsQuery): Promise<{ owner: string; record: DnsRecord }[] | DnsFailure> {
    const found: { owner: string; record: DnsRecord }[] = [];
    let name = query.name;
    for (let hops = 0; hops < 10; hops++) {
      const source = this.#names.get(name);
      const answer = typeof source === 'function' ? await source({ ...query, name }) : (source ?? 'nxdomain');
      if (typeof answer === 'string') return answer;
      const owner = name;
      found.push(...answer.filter((one) => one.type === query.type).map((record) => ({ owner, record })));
      const alias = answer.find((one) => one.type === 'CNAME');
      if (alias?.type !== 'CNAME' || query.type === 'CNAME') break;
      found.push({ owner, record: alias });
      name = alias.target.toLowerCase();
    }
    return found;
  }
}

/** Name and type of the first question, and its bytes; null where there is none. */
function readQuestion(message: Buffer): { name: string; type: string; bytes: Buffer } | null {
  if (message.length < HEADER_BYTES || message.readUInt16BE(4) < 1) return null;
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const end = at + 5;
  if (end > message.length) return null;
  const code = message.readUInt16BE(at + 1);
  const type = Object.keys(TYPES).find((name) => TYPES[name] === code) ?? `TYPE${code}`;
  return { name: labels.join('.').toLowerCase(), type, bytes: message.subarray(HEADER_BYTES, end) };
}

function recordBytes(owner: string, record: DnsRecord): Buffer {
  const data = dataBytes(record);
  const ttl = Buffer.alloc(4);
  ttl.writeUInt32BE(record.ttl ?? 60);
  return Buffer.concat([nameBytes(owner), uint16(TYPES[record.type] ?? 0), uint16(1), ttl, uint16(data.length), data]);
}

function dataBytes(record: DnsRecord): Buffer {
  switch (record.type) {
    case 'A':
      return Buffer.from(record.address.split('.').map(Number));
    case 'AAAA':
      return ipv6Bytes(record.address);
    case 'CNAME':
      return nameBytes(record.target);
    case 'SRV':
      return Buffer.concat([
        uint16(record.priority),
        uint16(record.weight),
        uint16(record.port),
        nameBytes(record.target),
      ]);
  }
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
}

function ipv6Bytes(address: string): Buffer {
  const [head = '', tail] = address.split('::');
  const words = (text: string | undefined): string[] => (text ?? '').split(':').filter((word) => word !== '');
  const before = words(head);
  const after = words(tail);
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const all = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  return Buffer.concat(all.map((word) => uint16(Number.parseInt(word, 16))));
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
