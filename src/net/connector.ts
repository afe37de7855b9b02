import { connect as connectSocket, type NetConnectOpts, type Socket } from 'node:net';
import { fastTlsIsProven } from './fast-tls-check.ts';
import { FastTlsWire } from './fast-tls-wire.ts';
import { FastWire } from './fast-wire.ts';
import { OwnReadBuffer } from './read-buffer.ts';
import { readByEvents, SocketWire } from './socket-wire.ts';
import { encrypt, type PeerTls } from './tls-client.ts';
import type { Wire } from './wire.ts';

/** Where to connect: TCP or a unix socket. */
export type ConnectTarget = { readonly host: string; readonly port: number } | { readonly path: string };

export interface ConnectOptions {
  /** Local address to bind (`proxy_bind`); null = the kernel's choice. */
  readonly localAddress: string | null;
  readonly localPort: number;
  /** SO_KEEPALIVE (`proxy_socket_keepalive`). */
  readonly isKeepAlive: boolean;
  /** Use the fast layer's writes. */
  readonly isFast: boolean;
  /** Null: in the clear. */
  readonly tls: PeerTls | null;
}

export interface ConnectWaiter {
  /** With TLS: connected, and the handshake begins. */
  onHandshake(): void;
  /** The handshake came to nothing: nginx's text. The connection is closed. */
  onHandshakeError(text: string): void;
  /** Set `wire.sink` before returning. */
  onConnected(wire: Wire): void;
  /** Node's error: `code` ECONNREFUSED, ENOENT, EMFILE …, `errno`. */
  onConnectError(error: NodeJS.ErrnoException): void;
}

/** A connection under way. */
export interface Connecting {
  /** Gives it up; the waiter hears nothing more. */
  cancel(): void;
}

/**
 * Connects to a peer. The wire reads into a buffer of its own (not the shared one): what it read can be written to a client without a copy,
 * as long as reading is paused until that is flushed. The buffer is never reused by another connection: a queued write of another
 * client's answer may still point into it.
 */
export function connectWire(target: ConnectTarget, options: ConnectOptions, waiter: ConnectWaiter): Connecting {
  if (options.tls !== null) return connectByTls(target, options, waiter);
  const reading = new OwnReadBuffer();
  let wire: SocketWire | null = null;
  let isSettled = false;
  const common = {
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: options.isKeepAlive,
    autoSelectFamily: false,
    onread: {
      // Node asks after each read which buffer to use next; anything but a buffer means: the same.
      buffer: () => reading.replacement() as Uint8Array,
      callback(length: number, buffer: Uint8Array): boolean {
        wire?.sink.onBytes(buffer as Buffer, length);
        return true;
      },
    },
  };
  const socket: Socket = connectSocket({ ...common, ...bindOf(options), ...target } as NetConnectOpts);
  const onEarlyError = (error: Error) => {
    if (isSettled) return;
    isSettled = true;
    waiter.onConnectError(error);
  };
  socket.once('error', onEarlyError);
  socket.once('connect', () => {
    if (isSettled) return;
    isSettled = true;
    socket.removeListener('error', onEarlyError);
    wire = options.isFast ? new FastWire(socket) : new SocketWire(socket);
    wire.detachBuffer = () => reading.detach();
    waiter.onConnected(wire);
  });
  return {
    cancel() {
      if (isSettled) return;
      isSettled = true;
      // A late error of the abandoned attempt has no listener that cares, and must not crash the process.
      socket.removeListener('error', onEarlyError);
      socket.on('error', () => undefined);
      socket.destroy();
    },
  };
}

function bindOf(options: ConnectOptions): object {
  return options.localAddress === null ? {} : { localAddress: options.localAddress, localPort: options.localPort };
}

/** The same with a handshake behind it. */
function connectByTls(target: ConnectTarget, options: ConnectOptions, waiter: ConnectWaiter): Connecting {
  return connectSocketOf(target, options, {
    onHandshake: () => waiter.onHandshake(),
    onHandshakeError: (text) => waiter.onHandshakeError(text),
    onConnectError: (error) => waiter.onConnectError(error),
    onSocket(socket) {
      if (options.isFast && fastTlsIsProven()) {
        const reading = new OwnReadBuffer();
        const fast = new FastTlsWire(socket);
        fast.detachBuffer = () => reading.detach();
        fast.readDirectly(reading);
        return waiter.onConnected(fast);
      }
      const wire = new SocketWire(socket);
      wire.detachBuffer = () => true;
      waiter.onConnected(wire);
      readByEvents(socket, wire);
    },
  });
}

/** Who gets the socket itself, of which nothing was read. */
export interface SocketWaiter extends Omit<ConnectWaiter, 'onConnected'> {
  onSocket(socket: Socket): void;
}

/** Connects, and makes the handshake where there is TLS. */
export function connectSocketOf(target: ConnectTarget, options: ConnectOptions, waiter: SocketWaiter): Connecting {
  const { tls } = options;
  let isSettled = false;
  const common = {
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: options.isKeepAlive,
    autoSelectFamily: false,
  };
  const socket: Socket = connectSocket({ ...common, ...bindOf(options), ...target } as NetConnectOpts);
  const onEarlyError = (error: Error) => {
    if (isSettled) return;
    isSettled = true;
    waiter.onConnectError(error);
  };
  socket.once('error', onEarlyError);
  socket.once('connect', () => {
    if (isSettled) return;
    socket.removeListener('error', onEarlyError);
    if (tls === null) {
      isSettled = true;
      return waiter.onSocket(socket);
    }
    waiter.onHandshake();
    encrypt(socket, tls, 'path' in target ? target.path : `${target.host}:${target.port}`, (result) => {
      if (isSettled) {
        if (!(result instanceof Error)) result.destroy();
        return;
      }
      isSettled = true;
      if (result instanceof Error) waiter.onHandshakeError(result.message);
      else waiter.onSocket(result);
    });
  });
  return {
    cancel() {
      if (isSettled) return;
      isSettled = true;
      // A late error of the abandoned attempt has no listener that cares, and must not crash the process.
      socket.removeListener('error', onEarlyError);
      socket.on('error', () => undefined);
      socket.destroy();
    },
  };
}
