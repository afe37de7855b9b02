import { type Server, Socket } from 'node:net';
import { SocketWire } from './socket-wire.ts';
import type { Wire } from './wire.ts';

/**
 * The fast layer: what Node's sockets can do beyond their documented API, all of it in this file.
 *
 * - `server._handle.onconnection`: the accepted handle becomes a Socket with `onread`, so that all client sockets of a worker read into one
 *   shared buffer (public sockets allocate a buffer per read and pass it through the stream machinery).
 * - `socket._write(chunk, 'buffer', done)`, called directly: the write skips the stream's bookkeeping. `done` runs at once when the kernel
 *   took everything.
 *
 * `fastLayerWorks()` tries both on a real connection when the process starts; where it fails, the public API does the same, slower.
 */
interface AcceptingHandle {
  onconnection: (error: number | undefined, handle: object | undefined) => void;
}

interface SocketInternals {
  _write(chunk: Uint8Array, encoding: 'buffer', done: (error?: Error | null) => void): void;
}

/** As large as a read of libuv gets. */
export const READ_BUFFER_BYTES = 65_536;

// Every client socket of this process reads into it: whoever is called with it uses it up (or copies) before returning.
const sharedReadBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);

export class FastWire extends SocketWire {
  #pendingBytes = 0;
  #pendingWrites = 0;
  #isInWrite = false;
  readonly #internals: SocketInternals;
  readonly #written: (error?: Error | null) => void;

  constructor(socket: Socket) {
    super(socket);
    this.#internals = socket as unknown as SocketInternals;
    this.#written = (error) => this.#onWritten(error);
  }

  override get pendingBytes(): number {
    return this.#pendingBytes;
  }

  override write(chunk: Uint8Array): boolean {
    if (this.socket.destroyed) return true;
    this.#pendingWrites++;
    this.#pendingBytes += chunk.length;
    this.#isInWrite = true;
    this.#internals._write(chunk, 'buffer', this.#written);
    this.#isInWrite = false;
    return this.#pendingWrites === 0;
  }

  #onWritten(error?: Error | null): void {
    this.#pendingWrites--;
    if (this.#pendingWrites === 0) this.#pendingBytes = 0;
    if (error) {
      // Destroying inside write() would call the sink back before its caller knows: the close event comes later either way.
      this.socket.destroy(error);
      return;
    }
    if (this.#pendingWrites === 0 && !this.#isInWrite && !this.socket.destroyed) this.sink.onDrain();
  }
}

type PlainOptions = NonNullable<ConstructorParameters<typeof Socket>[0]>;

/** Where connections of TLS addresses go: they have a socket of the plain kind. */
export interface TlsAccepts {
  isTls(): boolean;
  onSocket(socket: Socket): void;
}

/** Takes over a listening server's accepts: `onWire` gets a wire that reads into the shared buffer. */
export function acceptFast(
  server: Server,
  onWire: (wire: Wire) => void,
  onError: (errno: number) => void,
  tls: TlsAccepts | null = null,
): void {
  const handle = (server as unknown as { _handle: AcceptingHandle })._handle;
  handle.onconnection = (error, clientHandle) => {
    if (error || clientHandle === undefined) return onError(error ?? 0);
    if (tls?.isTls() === true) {
      tls.onSocket(new Socket({ handle: clientHandle, allowHalfOpen: true } as PlainOptions));
      return;
    }
    let wire: FastWire | null = null;
    const socket = new Socket({
      handle: clientHandle,
      allowHalfOpen: true,
      onread: {
        buffer: sharedReadBuffer,
        callback(length: number, buffer: Uint8Array): boolean {
          wire?.sink.onBytes(buffer as Buffer, length);
          return true;
        },
      },
      // `handle` is what Server itself passes; it is not in the documented options.
    } as unknown as PlainOptions);
    wire = new FastWire(socket);
    onWire(wire);
  };
}
