import type { ByteRange } from './byte-range.ts';
import type { ClientStream } from './client-stream.ts';
import { FilteredStream } from './filtered-stream.ts';
import { rateAllowance, rateDelayMs } from './rate.ts';
import { ResponseStore, type StoreLimits } from './response-store.ts';

/** Where the bytes come from: the part of an `UpstreamConnection` that the pipe steers. */
export interface PipeSource {
  pauseResponse(): void;
  resumeResponse(): void;
  /** See `UpstreamConnection.detachResponse`. */
  detachResponse(): boolean;
}

export interface PipeSettings extends StoreLimits {
  /** `proxy_buffering`: whether a slow client's bytes are taken off the peer and kept here. */
  readonly isBuffered: boolean;
  /** Towards the client, bytes per second (`limit_rate`); 0 = unlimited. */
  readonly limitRateBytes: number;
  /** So much goes before `limit_rate` counts (`limit_rate_after`). */
  readonly limitRateAfterBytes: number;
  /** From the peer, bytes per second (`proxy_limit_rate`); 0 = unlimited. Only with buffering, as in nginx. */
  readonly readRateBytes: number;
}

export interface PipeOwner {
  /** The source has ended and the client's stream was given everything. */
  onPipeDone(): void;
  /** A temporary file was begun. */
  onPipeTempFile(name: string): void;
  /** The temporary file failed. */
  onPipeError(error: unknown): void;
}

const WAITS_FOR_ROOM = 1;
const WAITS_FOR_RATE = 2;
const WAITS_FOR_CLIENT = 4;

/**
 * Body of one response, from a peer to the client.
 *
 * ```
 * client fast:      chunk -> sendBody, nothing is kept
 * client slow:      buffered     the chunk's buffer is taken over, what follows goes to the store (memory, then file), then the peer is paused
 *                   unbuffered   the peer is paused until the client has taken the chunk
 * paced:            all goes through the store (buffered) or through the paused peer's buffer (unbuffered), timers only here
 * ```
 * Invariant: a chunk given to `sendBody` that returned false stays unchanged, because the peer is paused, its buffer was detached, or it is the store's.
 */
export class ResponsePipe {
  readonly #owner: PipeOwner;
  readonly #now: () => number;
  #stream: ClientStream | null = null;
  #source: PipeSource | null = null;
  #settings: PipeSettings | null = null;
  #store: ResponseStore | null = null;
  /** What is left of a chunk that lies in the paused peer's buffer. */
  #view: Uint8Array | null = null;
  #isBlocked = false;
  #isEnded = false;
  #isPaced = false;
  /** Body filters may hold bytes back. */
  #isFiltered = false;
  /** The peer has paused: when nothing is kept here any more the filters hear of it. */
  #isFlushDue = false;
  #waits = 0;
  #startedAtMs = 0;
  #sentBytes = 0;
  #receivedBytes = 0;
  #range: ByteRange | null = null;
  #sendTimer: NodeJS.Timeout | null = null;
  #readTimer: NodeJS.Timeout | null = null;

  constructor(owner: PipeOwner, now: () => number) {
    this.#owner = owner;
    this.#now = now;
  }

  /** Body bytes received from the peer. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** `range`: all but these bytes is dropped. */
  begin(stream: ClientStream, source: PipeSource, settings: PipeSettings, range: ByteRange | null = null): void {
    this.#stream = stream;
    this.#source = source;
    this.#settings = settings;
    this.#store = null;
    this.#view = null;
    this.#isBlocked = false;
    this.#isEnded = false;
    this.#isFiltered = stream instanceof FilteredStream;
    this.#isFlushDue = false;
    this.#waits = 0;
    this.#sentBytes = 0;
    this.#receivedBytes = 0;
    this.#range = range;
    this.#isPaced = settings.limitRateBytes > 0;
    this.#startedAtMs = this.#isPaced || settings.readRateBytes > 0 ? this.#now() : 0;
  }

  onData(chunk: Uint8Array): void {
    const stream = this.#stream;
    const settings = this.#settings;
    if (stream === null || settings === null) return;
    this.#isFlushDue = false;
    const piece = this.#range === null ? chunk : this.#cut(chunk, this.#range);
    this.#receivedBytes += chunk.length;
    if (this.#isPaced || this.#isBlocked || this.#store !== null) this.#hold(piece, settings);
    else if (!stream.sendBody(piece)) this.#block(settings);
    if (settings.readRateBytes > 0 && settings.isBuffered) this.#paceSource(settings);
  }

  /** The peer has nothing more for now: a head that is held back goes out, and what filters hold back. */
  onPause(): void {
    if (this.#isFiltered) {
      this.#isFlushDue = true;
      this.#flushWhenEmpty();
      return;
    }
    if (this.#stream === null || this.#receivedBytes > 0 || this.#isBlocked) return;
    if (!this.#stream.flush()) this.#isBlocked = true;
  }

  /** The peer's response is complete; its connection is not touched any more. */
  onEnd(): void {
    if (this.#stream === null) return;
    this.#source = null;
    this.#isEnded = true;
    if (this.#readTimer !== null) clearTimeout(this.#readTimer);
    this.#readTimer = null;
    this.#finishWhenEmpty();
  }

  /** From the stream, after `sendBody` had returned false. */
  onWritable(): void {
    if (this.#stream === null) return;
    this.#isBlocked = false;
    this.#pump();
  }

  /** Forgets everything: the response was given up, or is done. */
  close(): void {
    if (this.#stream === null) return;
    this.#stream = null;
    this.#source = null;
    this.#settings = null;
    this.#view = null;
    this.#store?.close();
    this.#store = null;
    if (this.#sendTimer !== null) clearTimeout(this.#sendTimer);
    if (this.#readTimer !== null) clearTimeout(this.#readTimer);
    this.#sendTimer = null;
    this.#readTimer = null;
  }

  #cut(chunk: Uint8Array, range: ByteRange): Uint8Array {
    const from = Math.max(range.start - this.#receivedBytes, 0);
    const to = Math.max(range.end + 1 - this.#receivedBytes, 0);
    return chunk.subarray(Math.min(from, chunk.length), Math.min(to, chunk.length));
  }

  /** The socket has the chunk at hand and not yet sent it. */
  #block(settings: PipeSettings): void {
    this.#isBlocked = true;
    if (settings.isBuffered && this.#source?.detachResponse() === true) return;
    this.#pause(WAITS_FOR_CLIENT);
  }

  #hold(chunk: Uint8Array, settings: PipeSettings): void {
    if (!settings.isBuffered) {
      this.#view = chunk;
      this.#pause(WAITS_FOR_CLIENT);
      this.#pump();
      return;
    }
    try {
      const store = (this.#store ??= new ResponseStore(settings));
      const hadFile = store.tempFileName !== null;
      store.put(chunk);
      if (!hadFile && store.tempFileName !== null) this.#owner.onPipeTempFile(store.tempFileName);
      if (store.isFull) this.#pause(WAITS_FOR_ROOM);
    } catch (error) {
      this.#owner.onPipeError(error);
      return;
    }
    this.#pump();
  }

  #pump(): void {
    const stream = this.#stream;
    if (stream === null) return;
    while (!this.#isBlocked && this.#sendTimer === null) {
      const maxBytes = this.#isPaced ? this.#allowance() : Number.POSITIVE_INFINITY;
      if (maxBytes <= 0) break;
      const piece = this.#next(maxBytes);
      if (piece === null) break;
      this.#sentBytes += piece.length;
      if (!stream.sendBody(piece)) this.#isBlocked = true;
      if (this.#stream !== stream) return;
    }
    if (this.#isEnded) {
      this.#finishWhenEmpty();
      return;
    }
    if (this.#isFlushDue) this.#flushWhenEmpty();
    this.#unpause();
  }

  #next(maxBytes: number): Uint8Array | null {
    const view = this.#view;
    if (view !== null) {
      this.#view = view.length > maxBytes ? view.subarray(maxBytes) : null;
      return view.length > maxBytes ? view.subarray(0, maxBytes) : view;
    }
    if (this.#store === null) return null;
    try {
      const piece = this.#store.take(maxBytes);
      if (piece === null && !this.#isPaced && this.#store.tempFileName === null) this.#store = null;
      return piece;
    } catch (error) {
      this.#owner.onPipeError(error);
      return null;
    }
  }

  /** Bytes that `limit_rate` lets go now; sets the timer when there are none. */
  #allowance(): number {
    if (this.#view === null && (this.#store === null || this.#store.isEmpty)) return 0;
    const { limitRateBytes, limitRateAfterBytes } = this.#settings as PipeSettings;
    const elapsedMs = this.#now() - this.#startedAtMs;
    const allowed = rateAllowance(limitRateBytes, elapsedMs, this.#sentBytes - limitRateAfterBytes);
    if (allowed <= 0) {
      this.#sendTimer = setTimeout(onSendTimer, rateDelayMs(limitRateBytes, allowed), this);
    }
    return allowed;
  }

  onSendTimer(): void {
    this.#sendTimer = null;
    this.#pump();
  }

  #paceSource(settings: PipeSettings): void {
    if (this.#source === null || this.#readTimer !== null) return;
    const allowed = rateAllowance(settings.readRateBytes, this.#now() - this.#startedAtMs, this.#receivedBytes);
    if (allowed > 0) return;
    this.#pause(WAITS_FOR_RATE);
    this.#readTimer = setTimeout(onReadTimer, rateDelayMs(settings.readRateBytes, allowed), this);
  }

  onReadTimer(): void {
    this.#readTimer = null;
    this.#resume(WAITS_FOR_RATE);
  }

  #pause(reason: number): void {
    if (this.#waits === 0) this.#source?.pauseResponse();
    this.#waits |= reason;
  }

  #resume(reasons: number): void {
    if ((this.#waits & reasons) === 0) return;
    this.#waits &= ~reasons;
    if (this.#waits === 0) this.#source?.resumeResponse();
  }

  #unpause(): void {
    if (this.#waits === 0) return;
    let over = 0;
    if (!this.#isBlocked && this.#view === null) over |= WAITS_FOR_CLIENT;
    if (this.#store === null || this.#store.hasRoom) over |= WAITS_FOR_ROOM;
    if (over !== 0) this.#resume(over);
  }

  #flushWhenEmpty(): void {
    if (this.#isBlocked || this.#view !== null || (this.#store !== null && !this.#store.isEmpty)) return;
    this.#isFlushDue = false;
    if (this.#stream?.flush() === false) this.#isBlocked = true;
  }

  #finishWhenEmpty(): void {
    if (this.#view !== null || (this.#store !== null && !this.#store.isEmpty)) return;
    this.#owner.onPipeDone();
  }
}

function onSendTimer(pipe: ResponsePipe): void {
  pipe.onSendTimer();
}

function onReadTimer(pipe: ResponsePipe): void {
  pipe.onReadTimer();
}
