import { chmodSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { poll } from './deadline.ts';
import { type HttpMessage, headerOf, readMessage } from './http-message.ts';

/**
 * Ends of a script. `CLOSE`: FIN. `RESET`: RST. `HANG`: silence until the peer closes. `KEEP`: ready for the next request.
 * `ECHO`: from now on every byte goes back (a tunnel), FIN is answered by FIN.
 */
export const CLOSE = Symbol('close');
export const RESET = Symbol('reset');
export const HANG = Symbol('hang');
export const KEEP = Symbol('keep');
export const ECHO = Symbol('echo');

/** Bytes to send, milliseconds to pause, or an end. */
export type ScriptStep = string | number | typeof CLOSE | typeof RESET | typeof HANG | typeof KEEP | typeof ECHO;
/** A string alone is a response; whether the connection stays is read off its `Connection: close`. */
export type Reply = string | readonly ScriptStep[];

export interface BackendRequest extends HttpMessage {
  readonly method: string;
  readonly target: string;
  /** 1 for the first connection since the last `forget()` that brought a request, and so on. */
  readonly connection: number;
  /** The connection ended before the reply was out, and not by the script. */
  wasAborted: boolean;
}

/** `nth` counts this backend's requests from 0 since the last `forget()`. */
export type Script = Reply | ((request: BackendRequest, nth: number) => Reply);

export interface BackendOptions {
  readonly script: Script;
  /** Unix socket's path; default: a free TCP port of 127.0.0.1. */
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
  /** Reply as soon as the head is there, without the body. */
  readonly onHead?: boolean;
  /** Reset every connection right after accept. */
  readonly resetOnAccept?: boolean;
  /** It is TLS, with these options. */
  readonly tls?: TlsOptions;
  /** Sent on accept, before any request. */
  readonly greeting?: string;
}

/** A backend that answers as scripted and remembers what it was asked. */
export class ScriptedBackend {
  readonly #server: Server;
  readonly #options: BackendOptions;
  readonly #sockets = new Set<Socket>();
  #requests: BackendRequest[] = [];
  #connections = new Map<Socket, number>();
  #accepted = 0;

  private constructor(options: BackendOptions) {
    this.#options = options;
    const { tls } = options;
    const common = { allowHalfOpen: true, noDelay: true };
    this.#server =
      tls === undefined
        ? createServer(common, (socket) => this.#accept(socket))
        : createTlsServer({ ...common, ...tls }, (socket) => this.#accept(socket));
    if (tls !== undefined) this.#server.on('connection', (socket) => this.#track(socket));
    // A handshake that the proxy broke off.
    this.#server.on('tlsClientError', () => undefined);
  }

  static async start(options: BackendOptions): Promise<ScriptedBackend> {
    const backend = new ScriptedBackend(options);
    const where =
      options.path === undefined
        ? { host: options.host ?? '127.0.0.1', port: options.port ?? 0 }
        : { path: options.path };
    await new Promise<void>((resolve, reject) => {
      backend.#server.once('error', reject);
      backend.#server.listen({ ...where, exclusive: true }, resolve);
    });
    if (options.path !== undefined) chmodSync(options.path, 0o777);
    return backend;
  }

  /** Of a TLS backend: each connection when its handshake is done. */
  onSecure(told: (socket: TLSSocket) => void): void {
    this.#server.on('secureConnection', told);
  }

  get isUnix(): boolean {
    return this.#options.path !== undefined;
  }

  /** TCP port it listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** In order of arrival, since the last `forget()`. A request whose body broke off has `isComplete: false`. */
  get requests(): readonly BackendRequest[] {
    return this.#requests;
  }

  /** Connections accepted since the last `forget()`. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#sockets.size;
  }

  /** Starts anew: no requests, connections numbered from 1; open connections stay. */
  forget(): void {
    this.#requests = [];
    this.#connections = new Map();
    this.#accepted = 0;
  }

  async untilRequests(count: number, deadlineMs = 5000): Promise<boolean> {
    return (await poll(() => (this.#requests.length >= count ? true : undefined), deadlineMs, 1)) ?? false;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.#accepted++;
    this.#track(socket);
    if (this.#options.resetOnAccept) {
      socket.resetAndDestroy();
      return;
    }
    if (this.#options.greeting !== undefined) socket.write(Buffer.from(this.#options.greeting, 'latin1'));
    this.#serve(socket).catch((error: unknown) => socket.destroy(error as Error));
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined); // resets are part of the scripts
  }

  /** Takes requests off the connection one after the other. */
  async #serve(socket: Socket): Promise<void> {
    let bytes = '';
    let hasEnded = false;
    let wake: () => void = () => undefined;
    const ended = () => {
      hasEnded = true;
      wake();
    };
    socket.on('data', (chunk) => {
      bytes += chunk.toString('latin1');
      wake();
    });
    socket.on('end', ended);
    socket.on('close', ended);

    for (;;) {
      const message = this.#read(bytes, hasEnded);
      if (message === undefined) {
        if (hasEnded) break;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      bytes = bytes.slice(message.end);
      const request = this.#remember(socket, message);
      if (message.framing !== 'none' && !message.isComplete && !this.#options.onHead) {
        request.wasAborted = true;
        break;
      }
      const script = this.#options.script;
      const reply = typeof script === 'function' ? script(request, this.#requests.indexOf(request)) : script;
      const left = await play(socket, reply, () => hasEnded);
      if (left === 'aborted') request.wasAborted = true;
      if (left === 'echo') {
        if (bytes !== '') socket.write(Buffer.from(bytes, 'latin1'));
        socket.pipe(socket);
      }
      if (left !== 'keep') return;
    }
    socket.end();
  }

  #read(bytes: string, hasEnded: boolean): HttpMessage | undefined {
    const whole = readMessage(bytes, 0, { isResponse: false, hasEnded });
    if (whole !== undefined || !this.#options.onHead || !bytes.includes('\r\n\r\n')) return whole;
    return readMessage(bytes, 0, { isResponse: false, hasEnded: true });
  }

  #remember(socket: Socket, message: HttpMessage): BackendRequest {
    const known = this.#connections.get(socket) ?? this.#connections.size + 1;
    this.#connections.set(socket, known);
    const [method = '', target = ''] = message.startLine.split(' ');
    const request = { ...message, method, target, connection: known, wasAborted: false };
    this.#requests.push(request);
    return request;
  }
}

/** Plays one reply; tells whether the connection is ready for another request, ended by the script, or was ended by the peer. */
async function play(
  socket: Socket,
  reply: Reply,
  hasEnded: () => boolean,
): Promise<'keep' | 'echo' | 'ended' | 'aborted'> {
  const steps = typeof reply === 'string' ? [reply] : reply;
  let said = '';
  for (const step of steps) {
    if (typeof step === 'string') {
      said += step;
      socket.write(Buffer.from(step, 'latin1'));
    } else if (typeof step === 'number') {
      await sleep(step);
      if (socket.destroyed) return 'aborted';
    } else if (step === KEEP) {
      return 'keep';
    } else if (step === ECHO) {
      return 'echo';
    } else if (step === HANG) {
      await poll(() => (hasEnded() ? true : undefined), 60_000, 2);
      socket.destroy();
      return 'aborted';
    } else if (step === RESET) {
      socket.resetAndDestroy();
      return 'ended';
    } else {
      socket.end();
      return 'ended';
    }
  }
  const last = readMessage(said.slice(Math.max(0, said.lastIndexOf('HTTP/1.'))), 0, {
    isResponse: true,
    hasEnded: true,
  });
  if (last?.isComplete && last.framing !== 'until-close') {
    if ((headerOf(last.headers, 'connection') ?? '').toLowerCase() !== 'close') return 'keep';
  }
  socket.end();
  return 'ended';
}

/** `Content-Length` response that keeps the connection. */
export function reply(body: string, status = '200 OK', headers: Readonly<Record<string, string>> = {}): string {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n${fields.join('')}\r\n${body}`;
}

/** The same with `Connection: close`. */
export function replyAndClose(body: string, status = '200 OK', headers: Readonly<Record<string, string>> = {}): string {
  return reply(body, status, { Connection: 'close', ...headers });
}

/** Replies by the request's path (query left out); anything else gets 404. */
export function byPath(replies: Readonly<Record<string, Script>>): Script {
  return (request, nth) => {
    const script = replies[request.target.split('?')[0] ?? ''] ?? replyAndClose('no such path', '404 Not Found');
    return typeof script === 'function' ? script(request, nth) : script;
  };
}

/** One reply after the other, the last one for all that follow. */
export function inTurn(...replies: readonly Script[]): Script {
  return (request, nth) => {
    const script = replies[Math.min(nth, replies.length - 1)] ?? replyAndClose('');
    return typeof script === 'function' ? script(request, nth) : script;
  };
}
