import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { poll } from './deadline.ts';
import { type HttpMessage, readMessage, statusOf } from './http-message.ts';

/** How the server left the connection: still there, closed in order, or reset. */
export const ENDINGS = ['open', 'closed', 'reset'] as const;
export type Ending = (typeof ENDINGS)[number];

export interface ClientAddress {
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Address that the client itself binds, e.g. 127.0.0.7. */
  readonly localAddress?: string;
  /** Unix socket instead of host and port. */
  readonly path?: string;
  /** TLS, with these options; certificates are not verified unless they say so. A handshake that fails is an end like others. */
  readonly tls?: ConnectionOptions;
}

/** A client that sends exactly the bytes it is told to and keeps all that comes back. Strings are byte strings (latin1). */
export class RawClient {
  readonly socket: Socket;
  #received = '';
  #sent = '';
  #ending: Ending = 'open';
  #responses: HttpMessage[] = [];
  #parsedTo = 0;
  #isDone = false;
  #hasWalkedOut = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      if (this.#isDone) return;
      this.#received += chunk.toString('latin1');
    });
    socket.on('end', () => this.#end('closed'));
    socket.on('error', () => this.#end('reset'));
    socket.on('close', () => this.#end('closed'));
  }

  static connect(to: ClientAddress): Promise<RawClient> {
    const target: NetConnectOpts =
      to.path === undefined
        ? {
            host: to.host ?? '127.0.0.1',
            port: to.port ?? 0,
            ...(to.localAddress && { localAddress: to.localAddress }),
          }
        : { path: to.path };
    if (to.tls !== undefined) return connectByTls(target, to.tls);
    return new Promise((resolve, reject) => {
      const socket = connect({ ...target, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  get received(): string {
    return this.#received;
  }

  get ending(): Ending {
    return this.#ending;
  }

  /** The client was the one to end it, by `leave()` or `reset()`. */
  get hasLeft(): boolean {
    return this.#hasWalkedOut;
  }

  send(bytes: string): void {
    this.#sent += bytes;
    this.socket.write(Buffer.from(bytes, 'latin1'));
  }

  /** FIN; answers are still read. */
  halfClose(): void {
    this.socket.end();
  }

  /** RST. What the server does from now on is not seen any more. */
  reset(): void {
    this.#isDone = true;
    this.#hasWalkedOut = true;
    this.socket.resetAndDestroy();
  }

  /** FIN, and nothing is read any more. What the server does from now on is not seen. */
  leave(): void {
    this.#isDone = true;
    this.#hasWalkedOut = true;
    this.socket.destroy();
  }

  /** Frees the socket when all has been seen. */
  close(): void {
    this.#isDone = true;
    this.socket.destroy();
  }

  /** All responses that are complete by now, interim (1xx) ones among them; an incomplete last one once the server has closed. */
  responses(): readonly HttpMessage[] {
    for (;;) {
      const finals = this.#responses.filter(isFinal).length;
      const next = readMessage(this.#received, this.#parsedTo, {
        isResponse: true,
        isToHead: this.#methods()[finals] === 'HEAD',
        hasEnded: this.#ending !== 'open',
      });
      if (next === undefined) return this.#responses;
      this.#responses.push(next);
      this.#parsedTo = next.end;
      if (statusOf(next.startLine) === 101) return this.#responses;
    }
  }

  /** Bytes behind the last complete response: a tunnel's, or those of one that is on its way. */
  rest(): string {
    this.responses();
    return this.#received.slice(this.#parsedTo);
  }

  /** Waits for `count` final responses in all, or the server's close. Tells whether they are there. */
  async untilResponses(count: number, deadlineMs = 5000): Promise<boolean> {
    const hasAll = () => this.responses().filter(isFinal).length >= count;
    await poll(() => (hasAll() || this.#ending !== 'open' ? true : undefined), deadlineMs, 1);
    return hasAll();
  }

  /** Waits until what was received contains `text`, or the server's close. */
  async untilReceived(text: string, deadlineMs = 5000): Promise<boolean> {
    const has = () => this.#received.includes(text);
    await poll(() => (has() || this.#ending !== 'open' ? true : undefined), deadlineMs, 1);
    return has();
  }

  /** Waits for the server's close; `open` when it did not come. */
  async untilClosed(deadlineMs = 5000): Promise<Ending> {
    await poll(() => (this.#ending === 'open' ? undefined : true), deadlineMs, 1);
    return this.#ending;
  }

  #end(how: Ending): void {
    if (this.#ending === 'open' && !this.#isDone) this.#ending = how;
  }

  #methods(): string[] {
    return [...this.#sent.matchAll(/(?:^|\n)([A-Z]+) [^\r\n]* HTTP\/\d\.\d\r?\n/g)].map((match) => match[1] ?? '');
  }
}

/** Resolves when the handshake is done, or has failed. */
function connectByTls(target: NetConnectOpts, options: ConnectionOptions): Promise<RawClient> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connectTls({ rejectUnauthorized: false, ...target, ...options } as ConnectionOptions);
    const client = new RawClient(socket);
    const done = () => resolve(client);
    socket.once('secureConnect', done);
    socket.once('close', done);
  });
}

function isFinal(message: HttpMessage): boolean {
  const status = statusOf(message.startLine);
  return status >= 200 || status === 0 || status === 101;
}

/** One request on a connection of its own, read until the server closes. */
export async function exchange(to: ClientAddress, bytes: string, deadlineMs = 5000): Promise<RawClient> {
  const client = await RawClient.connect(to);
  client.send(bytes);
  await client.untilClosed(deadlineMs);
  client.close();
  return client;
}
