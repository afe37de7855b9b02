import { type Server, Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { SHARED_READ_BUFFER } from './read-buffer.ts';
import { SocketWire } from './socket-wire.ts';
import type { Wire } from './wire.ts';
import { BATCHED, type BatchedWire, BEHIND, TAKEN, type WriteResult, writeBatch } from './write-batch.ts';

/**
 * The fast layer: what Node's sockets can do beyond their documented API, all of it in this file and, for TLS, in fast-tls-wire.ts.
 *
 * - `server._handle.onconnection`: the accepted handle becomes a Socket with `onread`, so that all client sockets of a worker read into one
 *   shared buffer (public sockets allocate a buffer per read and pass it through the stream machinery).
 * - `handle.writeBuffer(request, chunk)`, the call that `socket.write` ends in, without the stream's bookkeeping; the request object, which
 *   only counts when the kernel does not take everything at once, is used again and again. (Node's own code: lib/internal/stream_base_commons.)
 *
 * `fastLayerWorks()` tries both on a real connection when the process starts; where it fails, the public API does the same, slower.
 */
interface AcceptingHandle {
  onconnection: (error: number | undefined, handle: object | undefined) => void;
}

export interface WriteRequest {
  oncomplete: ((status: number) => void) | null;
  /** Keeps the bytes alive until then. */
  buffer: Uint8Array | null;
}

export interface WritingHandle {
  /** 0, or a negative errno. */
  writeBuffer(request: WriteRequest, chunk: Uint8Array): number;
}

export interface StreamWrap {
  readonly WriteWrap: new () => WriteRequest;
  /** What the last call on a stream came to. */
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
  readonly kReadBytesOrError: number;
}

/** Node's binding of streams; null where there is none to be had. */
export const streamWrap: StreamWrap | null = (() => {
  try {
    return (process as unknown as { binding(name: string): StreamWrap }).binding('stream_wrap');
  } catch {
    return null; // the public API serves then
  }
})();

// The request object for the next write. A write that is not through keeps its own.
let spareRequest: WriteRequest | null = null;

export class FastWire extends SocketWire implements BatchedWire {
  #pendingBytes = 0;
  #pendingWrites = 0;
  /** Waits for the end of the turn (write-batch). */
  #batched: Uint8Array | null = null;
  /** A batched chunk was written ahead of its batch: `onDrain` is still due. */
  #owesDrain = false;
  readonly #completed: (status: number) => void;
  readonly #internals: { readonly _handle: WritingHandle | null };

  constructor(socket: Socket) {
    super(socket);
    this.#internals = socket as unknown as { readonly _handle: WritingHandle | null };
    this.#completed = (status) => this.#onCompleted(status);
  }

  override get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get batchedBytes(): number {
    return this.#batched?.length ?? 0;
  }

  /** A socket loses its handle when it is destroyed; asking the stream for it costs more. */
  override get isDestroyed(): boolean {
    return this.#internals._handle === null;
  }

  override write(chunk: Uint8Array): boolean {
    if (this.#batched === null) return this.#writeNow(chunk);
    // Behind the chunk that waits for the batch, whose `onDrain` still comes with the batch.
    this.#writeBatchedNow();
    return this.#writeNow(chunk);
  }

  override writeSoon(chunk: Uint8Array): WriteResult {
    if (this.isDestroyed) return TAKEN;
    if (this.#batched !== null || this.#owesDrain || this.#pendingWrites > 0) return this.write(chunk) ? TAKEN : BEHIND;
    this.#batched = chunk;
    this.#pendingBytes += chunk.length;
    writeBatch.add(this);
    return BATCHED;
  }

  writeBatched(): boolean {
    if (this.#batched !== null) this.#writeBatchedNow();
    if (!this.#owesDrain) return true;
    this.#owesDrain = false;
    if (this.#pendingWrites > 0) return false;
    this.#pendingBytes = 0;
    if (!this.isDestroyed) this.sink.onDrain();
    return true;
  }

  /** The batched chunk goes ahead of its batch; the batch then only tells that it is gone. */
  #writeBatchedNow(): void {
    const chunk = this.#batched as Uint8Array;
    this.#batched = null;
    this.#owesDrain = true;
    this.#pendingBytes -= chunk.length;
    this.#writeNow(chunk);
  }

  #writeNow(chunk: Uint8Array): boolean {
    const handle = this.#internals._handle;
    if (handle === null) return true;
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = streamWrap as StreamWrap;
    const request = spareRequest ?? new WriteWrap();
    const error = handle.writeBuffer(request, chunk);
    if (error === 0 && streamBaseState[kLastWriteWasAsync] !== 0) {
      // The kernel is behind: the request lives until it has caught up.
      spareRequest = null;
      request.oncomplete = this.#completed;
      request.buffer = chunk;
      this.#pendingWrites++;
      this.#pendingBytes += chunk.length;
      return false;
    }
    spareRequest = request;
    // The close event tells the sink, later: not within write().
    if (error !== 0) this.socket.destroy(writeError(error));
    return this.#pendingWrites === 0;
  }

  /** Not paused: the socket has no stream that flows, and pausing would stop the handle. */
  override takeSocket(): Socket {
    return this.socket;
  }

  override end(): void {
    if (this.#batched !== null) this.#writeBatchedNow();
    super.end();
  }

  override endAndClose(): void {
    if (this.#batched !== null) this.#writeBatchedNow();
    super.endAndClose();
  }

  #onCompleted(status: number): void {
    this.#pendingWrites--;
    if (this.#pendingWrites === 0) this.#pendingBytes = 0;
    if (this.isDestroyed) return;
    if (status < 0) this.socket.destroy(writeError(status));
    else if (this.#pendingWrites === 0 && !this.#owesDrain) this.sink.onDrain();
  }
}

export function writeError(errno: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`write ${code}`), { code, errno, syscall: 'write' });
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
        buffer: SHARED_READ_BUFFER.current,
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
