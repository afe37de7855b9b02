import type { Socket } from 'node:net';
import { type StreamWrap, streamWrap, type WritingHandle, writeError } from './fast-wire.ts';
import { type ReadBuffer, SHARED_READ_BUFFER } from './read-buffer.ts';
import { SocketWire } from './socket-wire.ts';
import { BATCHED, type BatchedWire, BEHIND, TAKEN, type WriteResult, writeBatch } from './write-batch.ts';

/** libuv's number for the end of a stream. */
const UV_EOF = -4095;

/** The handle gives libuv up to ten buffers of 16 KiB at a time; what is beyond stays in its own queue, whose size it does not tell. */
const MOST_AT_ONCE_BYTES = 96 * 1024;

interface TlsHandle extends WritingHandle {
  /** Reads go into this buffer from now on. */
  useUserBuffer(buffer: Uint8Array): void;
  /** Called behind each read. */
  onread: (this: TlsHandle, data?: ArrayBuffer) => unknown;
  readonly _parent: RawHandle;
  reading: boolean;
  readStart(): void;
  readStop(): void;
}

/** libuv's handle below. */
interface RawHandle {
  /** Bytes that the kernel has not taken. */
  readonly writeQueueSize: number;
}

/**
 * The fast layer's TLS socket: reads into the shared buffer (a public one allocates 64 KiB for each read) and writes to the handle directly.
 *
 * A chunk is free as soon as it is written: OpenSSL has encrypted it, or Node copied it. But the handle takes one write at a time, and tells of
 * its end in the next check phase only; a second write before that would abort the process (Node: DoWrite in src/crypto/crypto_tls.cc). So
 * what comes meanwhile queues here.
 *
 * Until `readDirectly` it is a SocketWire that nobody writes to.
 */
export class FastTlsWire extends SocketWire implements BatchedWire {
  readonly #internals: { readonly _handle: TlsHandle | null };
  readonly #raw: RawHandle | null;
  /** The handle is at a write. */
  #isWriting = false;
  /** Bytes of that write, when the kernel did not take them at once. */
  #behindBytes = 0;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** Waits for the end of the turn (write-batch). */
  #batched: Uint8Array | null = null;
  /** `onDrain` is due when all is written. */
  #owesDrain = false;
  #whenWritten: (() => void) | null = null;
  #isPaused = false;
  /** What came with a read in the midst of which somebody paused; null: the end of the stream. */
  #held: (Buffer | null)[] = [];
  #ofStream: TlsHandle['onread'] | null = null;
  readonly #completed = (status: number): void => this.#onCompleted(status);

  constructor(tls: Socket) {
    super(tls);
    this.#internals = tls as unknown as { readonly _handle: TlsHandle | null };
    this.#raw = this.#internals._handle?._parent ?? null;
  }

  /** When the handshake is done, and before a byte has come. `reading`: where to; default: the buffer that all clients' sockets share. */
  readDirectly(reading: ReadBuffer = SHARED_READ_BUFFER): void {
    const handle = this.#internals._handle;
    if (handle === null) return;
    const { streamBaseState, kReadBytesOrError } = streamWrap as StreamWrap;
    this.#ofStream = handle.onread;
    handle.useUserBuffer(reading.replacement() ?? reading.current);
    handle.onread = (data) => {
      const length = streamBaseState[kReadBytesOrError] as number;
      if (length <= 0) {
        if (length === 0 || this.#held.length === 0) return this.#ofStream?.call(handle, data);
        this.#held.push(null);
        return undefined;
      }
      if (this.#isPaused) this.#held.push(Buffer.from(reading.current.subarray(0, length)));
      else {
        this.sink.onBytes(reading.current, length);
        // Decrypted bytes keep coming until the read is used up, paused or not: what was delivered last must not be overwritten.
        if (this.#isPaused) reading.detach();
      }
      return reading.replacement();
    };
  }

  override get pendingBytes(): number {
    return this.#behindBytes + this.#queuedBytes + this.batchedBytes;
  }

  get batchedBytes(): number {
    return this.#batched?.length ?? 0;
  }

  override get isDestroyed(): boolean {
    return this.#internals._handle === null;
  }

  override write(chunk: Uint8Array): boolean {
    if (this.isDestroyed) return true;
    if (this.#batched !== null) this.#sendBatched(this.#batched);
    if (!this.#isWriting) return this.#send(chunk);
    this.#put(chunk);
    return false;
  }

  override writeSoon(chunk: Uint8Array): WriteResult {
    if (this.isDestroyed) return TAKEN;
    if (this.#batched !== null || this.#queue.length > 0) return this.write(chunk) ? TAKEN : BEHIND;
    // The write before may still be under way: its end is told ahead of the batch.
    this.#batched = chunk;
    writeBatch.add(this);
    return BATCHED;
  }

  writeBatched(): boolean {
    if (this.#batched !== null && this.#sendBatched(this.#batched) && !this.isDestroyed) this.sink.onDrain();
    return true; // the chunk is free in any case
  }

  /** True: the kernel has all of it. */
  #sendBatched(chunk: Uint8Array): boolean {
    this.#batched = null;
    if (!this.#isWriting) return this.#send(chunk);
    this.#put(Buffer.from(chunk));
    return false;
  }

  #put(chunk: Uint8Array): void {
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    this.#owesDrain = true;
  }

  #send(chunk: Uint8Array): boolean {
    const handle = this.#internals._handle;
    if (handle === null) return true;
    const request = new (streamWrap as StreamWrap).WriteWrap();
    request.oncomplete = this.#completed;
    const error = handle.writeBuffer(request, chunk);
    if (error !== 0) {
      // The close event tells the sink, later: not within write().
      this.socket.destroy(writeError(error));
      return true;
    }
    this.#isWriting = true;
    if (chunk.length <= MOST_AT_ONCE_BYTES && this.#raw?.writeQueueSize === 0) return true;
    this.#behindBytes = chunk.length;
    this.#owesDrain = true;
    return false;
  }

  #onCompleted(status: number): void {
    this.#isWriting = false;
    this.#behindBytes = 0;
    if (this.isDestroyed) return;
    if (status < 0) {
      this.socket.destroy(writeError(status));
      return;
    }
    const next = this.#queue.shift();
    if (next !== undefined) {
      this.#queuedBytes -= next.length;
      this.#send(next);
      return;
    }
    if (this.#owesDrain) {
      this.#owesDrain = false;
      this.sink.onDrain();
    }
    if (!this.#isWriting && this.#whenWritten !== null) {
      const then = this.#whenWritten;
      this.#whenWritten = null;
      then();
    }
  }

  override pause(): void {
    if (this.#ofStream === null) return super.pause();
    this.#isPaused = true;
    const handle = this.#internals._handle;
    if (handle === null) return;
    handle.reading = false;
    handle.readStop();
  }

  override resume(): void {
    if (this.#ofStream === null) return super.resume();
    this.#isPaused = false;
    // Not within this call: who resumes is in the midst of something.
    if (this.#held.length > 0) process.nextTick(() => this.#deliverHeld());
    else this.#startReading();
  }

  #deliverHeld(): void {
    while (!this.#isPaused && this.#held.length > 0 && !this.isDestroyed) {
      const bytes = this.#held.shift() ?? null;
      if (bytes === null) {
        // The stream tells its listeners of the end, as if it came now.
        const { streamBaseState, kReadBytesOrError } = streamWrap as StreamWrap;
        streamBaseState[kReadBytesOrError] = UV_EOF;
        this.#ofStream?.call(this.#internals._handle as TlsHandle);
      } else this.sink.onBytes(bytes, bytes.length);
    }
    if (!this.#isPaused) this.#startReading();
  }

  #startReading(): void {
    const handle = this.#internals._handle;
    if (handle === null || handle.reading) return;
    handle.reading = true;
    handle.readStart();
  }

  /** Not paused: the socket has no stream that flows, and pausing would stop the handle. */
  override takeSocket(): Socket {
    return this.#ofStream === null ? super.takeSocket() : this.socket;
  }

  override end(): void {
    this.#afterWrites(() => super.end());
  }

  override endAndClose(): void {
    this.#afterWrites(() => super.endAndClose());
  }

  #afterWrites(then: () => void): void {
    if (this.#batched !== null) this.#sendBatched(this.#batched);
    if (this.#isWriting || this.#queue.length > 0) this.#whenWritten = then;
    else then();
  }
}
