import { closeSync, readSync } from 'node:fs';
import { nowMs } from '../../core/clock.ts';
import type { ContentState, Exchange, Recyclable } from '../../http/exchange.ts';
import { paceOf } from '../../http/limit-rate.ts';
import { rateAllowance, rateDelayMs } from '../../http/rate.ts';

/** Bytes `start` to `end` (not included) of the file, or bytes that stand between them. */
export type FilePiece = { readonly start: number; readonly end: number } | Buffer;

const READ_BYTES = 64 * 1024;
/** So much of one file goes in one turn of the event loop. */
const TURN_BYTES = 1024 * 1024;

/** Read buffers that nobody uses. */
const MAX_SPARE = 16;
const spare: Buffer[] = [];

/**
 * Sends parts of a file as a response's body, as fast as the client takes them: at most one read buffer waits in the socket.
 * Owns the descriptor from `start` on and closes it on every way out; `recycle` is the last of them.
 */
export class FileTransfer implements ContentState, Recyclable {
  readonly #path: string;
  readonly #pieces: readonly FilePiece[];
  #fd: number;
  #ex: Exchange | null = null;
  #buffer: Buffer | null = null;
  #piece = 0;
  #offset = 0;
  #sentBytes = 0;
  #startedAtMs = 0;
  #rateBytes = 0;
  #rateAfterBytes = 0;
  #isBlocked = false;
  #timer: NodeJS.Timeout | null = null;
  #turn: NodeJS.Immediate | null = null;

  constructor(fd: number, path: string, pieces: readonly FilePiece[]) {
    this.#fd = fd;
    this.#path = path;
    this.#pieces = pieces;
  }

  /** The head was sent. */
  start(ex: Exchange): void {
    this.#ex = ex;
    ex.content = this;
    ex.held.push(this);
    const pace = paceOf(ex);
    this.#rateBytes = pace?.bytesPerSec ?? 0;
    this.#rateAfterBytes = pace?.afterBytes ?? 0;
    this.#startedAtMs = this.#rateBytes > 0 ? nowMs() : 0;
    this.#pump();
  }

  onWritable(): void {
    this.#isBlocked = false;
    if (this.#timer === null && this.#turn === null) this.#pump();
  }

  onClientAborted(reason?: string, _cause?: Error | null, level: 'info' | 'error' = 'info'): void {
    const ex = this.#ex;
    if (ex === null) return;
    const text = reason ?? 'client prematurely closed connection while sending response to client';
    ex.location.errorLog.write(level, ex, text);
    this.#abort(ex);
  }

  recycle(): void {
    this.#close();
  }

  #pump(): void {
    this.#timer = null;
    this.#turn = null;
    const ex = this.#ex;
    if (ex === null) return;
    const { stream } = ex;
    let turnBytes = 0;
    while (!this.#isBlocked) {
      const piece = this.#pieces[this.#piece];
      if (piece === undefined) {
        this.#close();
        stream.endBody(null);
        return;
      }
      if (turnBytes >= TURN_BYTES) {
        this.#turn = setImmediate(() => this.#pump());
        return;
      }
      const maxBytes = this.#rateBytes > 0 ? this.#allowance() : READ_BYTES;
      if (maxBytes <= 0) {
        stream.flush();
        return;
      }
      const chunk = this.#next(piece, Math.min(maxBytes, READ_BYTES), ex);
      if (chunk === null) {
        this.#abort(ex);
        return;
      }
      turnBytes += chunk.length;
      this.#sentBytes += chunk.length;
      // Until the client has taken it the buffer is the socket's.
      if (!stream.sendBody(chunk)) this.#isBlocked = true;
      if (this.#ex !== ex) return;
    }
  }

  /** What comes next of the piece; null when it can't be had, which is logged. */
  #next(piece: FilePiece, maxBytes: number, ex: Exchange): Uint8Array | null {
    if (Buffer.isBuffer(piece)) {
      const chunk = piece.subarray(this.#offset, this.#offset + maxBytes);
      this.#advance(chunk.length, piece.length);
      return chunk;
    }
    const length = piece.end - piece.start;
    const at = piece.start + this.#offset;
    const wanted = Math.min(maxBytes, length - this.#offset);
    this.#buffer ??= spare.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
    try {
      const count = readSync(this.#fd, this.#buffer, 0, wanted, at);
      if (count === 0) {
        ex.location.errorLog.write('alert', ex, `file "${this.#path}" was truncated while sending response to client`);
        return null;
      }
      this.#advance(count, length);
      return this.#buffer.subarray(0, count);
    } catch (error) {
      ex.location.errorLog.write('crit', ex, `read() "${this.#path}" failed (${(error as Error).message})`);
      return null;
    }
  }

  #advance(count: number, length: number): void {
    this.#offset += count;
    if (this.#offset < length) return;
    this.#piece++;
    this.#offset = 0;
  }

  /** Bytes that `limit_rate` lets go now; sets the timer when there are none. */
  #allowance(): number {
    const elapsedMs = nowMs() - this.#startedAtMs;
    const allowed = rateAllowance(this.#rateBytes, elapsedMs, this.#sentBytes - this.#rateAfterBytes);
    if (allowed <= 0) this.#timer = setTimeout(() => this.#pump(), rateDelayMs(this.#rateBytes, allowed));
    return allowed;
  }

  #abort(ex: Exchange): void {
    this.#close();
    ex.content = null;
    ex.stream.abort();
  }

  #close(): void {
    this.#ex = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#timer = null;
    this.#turn = null;
    // A buffer that the socket still has is left to it.
    if (this.#buffer !== null && !this.#isBlocked && spare.length < MAX_SPARE) spare.push(this.#buffer);
    this.#buffer = null;
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}
