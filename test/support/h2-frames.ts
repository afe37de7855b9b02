import { connect, type Socket } from 'node:net';
import { poll } from './deadline.ts';

/** Types of frames (RFC 9113 section 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const END_STREAM = 1;
export const END_HEADERS = 4;
const ACK = 1;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, 9);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Length of a string, or its beginning: 7 bits and what does not fit behind them (RFC 7541 section 5.1). */
function length(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

/** Fields as literals without an index: exactly these bytes, whatever they are. Names and values in turn. */
export function fields(...texts: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (const [i, text] of texts.entries()) {
    if (i % 2 === 0) parts.push(Buffer.from([0]));
    parts.push(length(text.length), Buffer.from(text, 'latin1'));
  }
  return Buffer.concat(parts);
}

export function getFields(path = '/', ...more: readonly string[]): Buffer {
  return fields(':method', 'GET', ':path', path, ':scheme', 'http', ':authority', 't', ...more);
}

/** A client that sends exactly the frames it is told to. */
export class RawH2Client {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  isClosed = false;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => undefined);
    socket.on('end', () => {
      this.isClosed = true;
    });
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  /** `settings`: payload of its SETTINGS frame. */
  static async connect(port: number, settings: Uint8Array = Buffer.alloc(0)): Promise<RawH2Client> {
    const socket = connect({ port, host: '127.0.0.1' });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const client = new RawH2Client(socket);
    client.send(PREFACE, frame(FRAME.settings, 0, 0, settings));
    return client;
  }

  send(...frames: readonly Uint8Array[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames));
  }

  /** Until a frame of this type came (on this stream, when one is named); undefined: none within 5 s. */
  until(type: number, stream = -1): Promise<Frame | undefined> {
    return poll(() => this.frames.find((one) => one.type === type && (stream < 0 || one.stream === stream)), 5000, 2);
  }

  async untilClosed(): Promise<boolean> {
    return (await poll(() => (this.isClosed ? true : undefined), 5000, 2)) ?? false;
  }

  /** Code of the GOAWAY that came; null: none. */
  get goawayCode(): number | null {
    return this.frames.findLast((one) => one.type === FRAME.goaway)?.payload.readUInt32BE(4) ?? null;
  }

  /** Code of the reset of a stream; null: none. */
  resetCode(stream: number): number | null {
    return (
      this.frames.find((one) => one.type === FRAME.reset && one.stream === stream)?.payload.readUInt32BE(0) ?? null
    );
  }

  /** `:status` of a stream's first HEADERS frame; '' = none. */
  status(stream: number): string {
    const head = this.frames.find((one) => one.type === FRAME.headers && one.stream === stream);
    return head === undefined ? '' : statusIn(head.payload);
  }

  close(): void {
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 9) {
      const size = this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < 9 + size) return;
      const [type = 0, flags = 0] = this.#rest.subarray(3, 5);
      const stream = this.#rest.readUInt32BE(5);
      const payload = Buffer.from(this.#rest.subarray(9, 9 + size));
      this.#rest = this.#rest.subarray(9 + size);
      this.frames.push({ type, flags, stream, payload });
      if (type === FRAME.settings && (flags & ACK) === 0) this.send(frame(FRAME.settings, ACK, 0));
    }
  }
}

/** Statuses of HPACK's static table, from index 8 on. */
const INDEXED = ['200', '204', '206', '304', '400', '404', '500'];

/** The first field of a block, which is `:status`: indexed, or a literal of three digits. */
function statusIn(block: Buffer): string {
  let at = 0;
  // A change of the table's size may stand in front.
  while (((block[at] ?? 0) & 0xe0) === 0x20) at++;
  const first = block[at] ?? 0;
  if (first >= 0x88 && first <= 0x8e) return INDEXED[first - 0x88] ?? '';
  const size = (block[at + 1] ?? 0) & 0x7f;
  const bytes = block.subarray(at + 2, at + 2 + size);
  return ((block[at + 1] ?? 0) & 0x80) === 0 ? bytes.toString('latin1') : huffmanDigits(bytes);
}

/** Digits alone: 0 to 2 have five bits, the others six (RFC 7541 appendix B). */
function huffmanDigits(bytes: Buffer): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  let text = '';
  for (let at = 0; bits.length - at >= 5; ) {
    const five = Number.parseInt(bits.slice(at, at + 5), 2);
    if (five < 3) {
      text += five;
      at += 5;
      continue;
    }
    const six = Number.parseInt(bits.slice(at, at + 6), 2);
    if (six < 25 || six > 31 || bits.length - at < 6) break;
    text += six - 22;
    at += 6;
  }
  return text;
}
