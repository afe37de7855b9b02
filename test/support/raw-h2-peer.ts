import { createServer, type Server, type Socket } from 'node:net';

/** Frame types and flags of RFC 9113 section 6. */
export const FRAME = {
  data: 0,
  headers: 1,
  rst: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;
export const END_STREAM = 0x1;
export const END_HEADERS = 0x4;
const ACK = 0x1;
const PREFACE_BYTES = 24;
const FRAME_HEAD_BYTES = 9;

export type Fields = readonly (readonly [name: string, value: string])[];
export const OK: Fields = [[':status', '200']];

export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** Each pair: identifier (3: MAX_CONCURRENT_STREAMS, 4: INITIAL_WINDOW_SIZE) and value. */
export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6);
  pairs.forEach(([id, value], i) => {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  });
  return frame(FRAME.settings, 0, 0, payload);
}

export function headers(streamId: number, fields: Fields, flags: number = END_HEADERS): Buffer {
  return frame(FRAME.headers, flags, streamId, fieldBlock(fields));
}

export function data(streamId: number, text: string, isLast = false): Buffer {
  return frame(FRAME.data, isLast ? END_STREAM : 0, streamId, Buffer.from(text, 'latin1'));
}

export function rst(streamId: number, code: number): Buffer {
  return frame(FRAME.rst, 0, streamId, uint32(code));
}

export function goaway(lastStreamId: number, code: number): Buffer {
  return frame(FRAME.goaway, 0, 0, Buffer.concat([uint32(lastStreamId), uint32(code)]));
}

/** HPACK, each field a literal that is not indexed. */
export function fieldBlock(fields: Fields): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), hpackText(name), hpackText(value)]));
}

function hpackText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const head: number[] = [];
  if (bytes.length < 127) head.push(bytes.length);
  else {
    head.push(127);
    let rest = bytes.length - 127;
    for (; rest >= 128; rest = Math.floor(rest / 128)) head.push((rest % 128) + 128);
    head.push(rest);
  }
  return Buffer.concat([Buffer.from(head), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** One connection of a client that speaks HTTP/2 with prior knowledge. */
export class RawH2Connection {
  readonly socket: Socket;
  readonly received: ReceivedFrame[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
  }

  send(...frames: readonly Uint8Array[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames));
  }

  /** Frames of one stream and type. */
  framesOf(type: number, streamId?: number): ReceivedFrame[] {
    return this.received.filter((one) => one.type === type && (streamId === undefined || one.streamId === streamId));
  }
}

/** What a peer does: with a new connection, and with each request's HEADERS. Frames of other types are kept in `received`. */
export interface RawH2Script {
  /** Default: sends empty SETTINGS. */
  readonly onConnection?: (connection: RawH2Connection) => void;
  readonly onRequest?: (connection: RawH2Connection, streamId: number, count: number) => void;
  readonly onFrame?: (connection: RawH2Connection, frame: ReceivedFrame) => void;
}

/**
 * An HTTP/2 server of frames: whatever is to go wrong goes wrong. It acknowledges SETTINGS, and does nothing else by itself.
 *
 * ```ts
 * const peer = await RawH2Peer.start({ onRequest: (to, id) => to.send(headers(id, OK), rst(id, 2)) });
 * ```
 */
export class RawH2Peer {
  readonly connections: RawH2Connection[] = [];
  readonly #server: Server;
  readonly #script: RawH2Script;
  #requests = 0;

  private constructor(server: Server, script: RawH2Script) {
    this.#server = server;
    this.#script = script;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(script: RawH2Script): Promise<RawH2Peer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new RawH2Peer(server, script);
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get requests(): number {
    return this.#requests;
  }

  async stop(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    const connection = new RawH2Connection(socket);
    this.connections.push(connection);
    socket.on('error', () => undefined); // the other side may reset
    let isBegun = false;
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (!isBegun) {
        if (bytes.length < PREFACE_BYTES) return;
        isBegun = true;
        bytes = bytes.subarray(PREFACE_BYTES);
        if (this.#script.onConnection === undefined) connection.send(settings());
        else this.#script.onConnection(connection);
      }
      while (bytes.length >= FRAME_HEAD_BYTES && bytes.length >= FRAME_HEAD_BYTES + bytes.readUIntBE(0, 3)) {
        const end = FRAME_HEAD_BYTES + bytes.readUIntBE(0, 3);
        const [type = 0, flags = 0] = [bytes[3], bytes[4]];
        const streamId = bytes.readUInt32BE(5) & 0x7fffffff;
        const one: ReceivedFrame = {
          type,
          flags,
          streamId,
          payload: Buffer.from(bytes.subarray(FRAME_HEAD_BYTES, end)),
        };
        bytes = bytes.subarray(end);
        this.#receive(connection, one);
      }
    });
  }

  #receive(connection: RawH2Connection, one: ReceivedFrame): void {
    connection.received.push(one);
    if (one.type === FRAME.settings && (one.flags & ACK) === 0) connection.send(frame(FRAME.settings, ACK, 0));
    this.#script.onFrame?.(connection, one);
    if (one.type === FRAME.headers) this.#script.onRequest?.(connection, one.streamId, ++this.#requests);
  }
}
