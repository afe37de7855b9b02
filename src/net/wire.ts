import type { Socket } from 'node:net';
import type { WriteResult } from './write-batch.ts';

/** Receives what happens on a wire. Set once the wire is handed over; may be exchanged (idle pool, tunnel). */
export interface WireSink {
  /** `buffer[0, length)` holds what was read. It is valid during this call, or, on a wire with its own buffer, until `resume` when `pause` was called in it. */
  onBytes(buffer: Buffer, length: number): void;
  /** The other side sent FIN. The wire can still be written. */
  onFin(): void;
  /** All that was waiting has been taken by the kernel, after a `write` that returned false. */
  onDrain(): void;
  /** Gone: after `destroy`, after both sides ended, or with the error that broke it. Exactly once, the last call. */
  onClose(error: Error | null): void;
}

/**
 * One connection's bytes, in and out: what the engines know of a socket. Two implementations (public API, fast layer), one contract,
 * one test suite.
 */
export interface Wire {
  sink: WireSink;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Bytes handed to `write` and not yet taken by the kernel. */
  readonly pendingBytes: number;
  /** Those of them that nobody has offered to the kernel yet: they go out by the end of this turn. Absent: 0. */
  readonly batchedBytes?: number;
  readonly isDestroyed: boolean;

  /**
   * True: the kernel took it all, the chunk may change. False: it is queued and must not change before `onDrain`.
   * Several writes may queue; `onDrain` comes once, when none is left.
   */
  write(chunk: Uint8Array): boolean;
  /**
   * As `write`, but the chunk may wait for the end of this turn, to go out together with those of other wires (BATCHED: it must not change before
   * `onDrain`, which comes then; COPIED: it may change, and `onDrain` comes). A later `write` comes behind it.
   */
  writeSoon(chunk: Uint8Array): WriteResult;
  /** TCP_NODELAY: the last part of an answer written in several pieces does not wait for an acknowledgement. Once is enough. */
  setNoDelay(): void;
  /** No more `onBytes` until `resume`. */
  pause(): void;
  resume(): void;
  /**
   * During `onBytes` only: the buffer becomes the caller's and stays unchanged for ever; the wire reads on into another.
   * False where the wire cannot (it reads into a shared buffer): copy, or pause.
   */
  detachBuffer(): boolean;
  /** On a TLS port, once: what stands in front of the handshake (PROXY protocol) was read; `rest` came behind it. Absent: no such port. */
  readonly afterPreface?: (rest: Buffer) => void;
  /**
   * The socket itself, for whoever speaks another protocol on it: the wire reads and writes no more, and only tells of its end (`onFin`,
   * `onClose`). Absent: there is none.
   */
  takeSocket?(): Socket;
  /** Sends FIN behind what is queued. Reading goes on. */
  end(): void;
  /** Sends FIN behind what is queued, then closes without waiting for the other side. */
  endAndClose(): void;
  /** Closes now; what is queued is lost. */
  destroy(): void;
  /** Closes now with RST. */
  reset(): void;
}

/** A sink for wires whose owner is gone: everything is dropped. */
export const NO_SINK: WireSink = {
  onBytes: () => undefined,
  onFin: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
};
