import type { Socket } from 'node:net';
import { NO_SINK, type Wire, type WireSink } from './wire.ts';
import { BEHIND, COPIED, TAKEN, type WriteResult } from './write-batch.ts';

/** A public TLS socket never takes a chunk at once: a copy is cheaper than a fresh output buffer for each write. */
const MOST_COPIED_BYTES = 16 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * A wire over `net.Socket` by its public API alone: the fallback of the fast layer, and the reference for its behaviour.
 *
 * Trap: `socket.write()` may return true with bytes still queued, and then no `drain` comes. So `writableLength` is asked, and an empty
 * write behind the queued ones tells when they are gone.
 */
export class SocketWire implements Wire {
  sink: WireSink = NO_SINK;
  readonly remoteAddress: string;
  readonly remotePort: number;
  protected readonly socket: Socket;
  #isWaitingForDrain = false;
  #isClosed = false;
  #isNoDelay = false;
  #error: Error | null = null;
  #localAddress: string | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.remotePort = socket.remotePort ?? 0;
    socket.on('end', () => this.sink.onFin());
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => this.#closed());
  }

  // Asked of the kernel only when somebody wants it: one system call.
  get localAddress(): string {
    this.#localAddress ??= this.socket.localAddress ?? '';
    return this.#localAddress;
  }

  get localPort(): number {
    return this.socket.localPort ?? 0;
  }

  get pendingBytes(): number {
    return this.socket.writableLength;
  }

  get isDestroyed(): boolean {
    return this.#isClosed || this.socket.destroyed;
  }

  write(chunk: Uint8Array): boolean {
    const socket = this.socket;
    if (socket.destroyed) return true;
    socket.write(chunk);
    if (socket.writableLength === 0) return true;
    if (!this.#isWaitingForDrain) {
      this.#isWaitingForDrain = true;
      this.#awaitDrain();
    }
    return false;
  }

  writeSoon(chunk: Uint8Array): WriteResult {
    if (chunk.length > MOST_COPIED_BYTES) return this.write(chunk) ? TAKEN : BEHIND;
    return this.write(Buffer.from(chunk)) ? TAKEN : COPIED;
  }

  setNoDelay(): void {
    if (this.#isNoDelay) return;
    this.#isNoDelay = true;
    this.socket.setNoDelay(true);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  takeSocket(): Socket {
    this.socket.removeAllListeners('data');
    this.socket.pause();
    return this.socket;
  }

  detachBuffer(): boolean {
    return false;
  }

  end(): void {
    this.socket.end();
  }

  endAndClose(): void {
    this.socket.destroySoon();
  }

  destroy(): void {
    this.socket.destroy();
  }

  reset(): void {
    // A unix socket knows no RST, and Node throws when it is asked for one.
    if (this.remoteAddress === '') this.socket.destroy();
    else {
      this.socket.resetAndDestroy();
      // By itself it would first send what is queued, and FIN behind it.
      this.socket.destroy();
    }
  }

  #awaitDrain(): void {
    this.socket.write(NOTHING, () => {
      if (this.socket.destroyed) return;
      // More may have been written meanwhile.
      if (this.socket.writableLength > 0) return this.#awaitDrain();
      this.#isWaitingForDrain = false;
      this.sink.onDrain();
    });
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const sink = this.sink;
    this.sink = NO_SINK;
    sink.onClose(this.#error);
  }
}

/** Hands what an accepted socket reads to its wire, each chunk in a buffer of Node's. */
export function readByEvents(socket: Socket, wire: SocketWire): void {
  socket.on('data', (chunk: Buffer) => wire.sink.onBytes(chunk, chunk.length));
}
