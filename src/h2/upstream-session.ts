import { type ClientHttp2Session, type ClientSessionOptions, connect, constants, type Settings } from 'node:http2';
import type { Socket } from 'node:net';
import { turnMs } from '../core/clock.ts';
import type { Deadlined, Deadlines } from '../core/deadlines.ts';
import type { ProxyError } from '../core/errors.ts';
import { goneAway, sessionFailure } from './upstream-failure.ts';
import { H2UpstreamStream } from './upstream-stream.ts';

/** Most requests at once on one connection, whatever the peer would allow: what is lost when one breaks stays small. */
export const MOST_STREAMS = 100;
/** Bytes that a peer may send of one response before we take them. */
const STREAM_WINDOW_BYTES = 128 * 1024;
const SESSION_WINDOW_BYTES = 1024 * 1024;
/** Beyond any `proxy_buffer_size`, which is what bounds a head; here it stops before nghttp2's own limit. */
const MOST_HEAD_BYTES = 64 * 1024;
const MOST_FIELDS = 1000;
/**
 * Requests that we cancel (clients leave, timeouts pass) before the session takes no more: peers count them against the connection (CVE-2023-44487),
 * and it is shared with those who did nothing wrong.
 */
const MOST_CANCELS = 20;
/** SETTINGS and PING that a peer may send within a second. */
const MOST_CONTROL_FRAMES = 100;

/** Where a session goes when its last stream ends, and who hears what becomes of it. */
export interface SessionHome {
  /** The last stream has ended. True: the session is kept. */
  keep(session: H2UpstreamSession): boolean;
  /** It takes no more streams: it is ending, or has ended. Once. */
  lost(session: H2UpstreamSession): void;
}

/** Who waits for a session to begin. */
export interface SessionWaiter {
  /** The peer's SETTINGS are here: it speaks HTTP/2, and has said how many streams it takes. */
  onReady(session: H2UpstreamSession): void;
  onFailed(error: ProxyError, isNoHttp2: boolean): void;
}

/**
 * One connection to a peer that speaks HTTP/2, shared by requests: each has a stream of its own (H2UpstreamStream).
 *
 * ```
 * starting --SETTINGS--> open (idle or with streams) --GOAWAY, too many requests--> ending --last stream--> closed
 * ```
 * Invariant: `streams` counts the leases; it is what `lease` adds and `ended` takes, once for each.
 */
export class H2UpstreamSession implements Deadlined {
  deadlineAtMs = Number.POSITIVE_INFINITY;
  sweepIndex = -1;
  /** Requests so far. */
  requests = 0;
  /** Leases under way. */
  streams = 0;
  readonly openedAtMs = turnMs();
  readonly scheme: 'http' | 'https';
  /** Set before the waiter's `onReady` returns. */
  home: SessionHome | null = null;
  readonly #session: ClientHttp2Session;
  readonly #deadlines: Deadlines;
  #waiter: SessionWaiter | null;
  #mostStreams = MOST_STREAMS;
  /** Last stream that the peer will answer, as its GOAWAY says; -1: none came. */
  #lastStreamId = -1;
  #goawayCode: number = constants.NGHTTP2_NO_ERROR;
  #error: Error | null = null;
  #isEnding = false;
  #isClosed = false;
  #cancels = 0;
  #controlFrames = 0;
  #countingSinceMs = 0;

  /** `socket` is connected, and encrypted where it is to be. */
  constructor(socket: Socket, scheme: 'http' | 'https', deadlines: Deadlines, waiter: SessionWaiter) {
    this.scheme = scheme;
    this.#deadlines = deadlines;
    this.#waiter = waiter;
    // The socket may be half open, and node:http2 would not notice that the peer has ended.
    socket.once('end', () => socket.end());
    // Node's types do not know the last one yet.
    const options: ClientSessionOptions & { strictSingleValueFields: boolean } = {
      createConnection: () => socket,
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxHeaderListSize: MOST_HEAD_BYTES,
      },
      maxHeaderListPairs: MOST_FIELDS,
      peerMaxConcurrentStreams: MOST_STREAMS,
      // Fields go on as they came; what they mean is the peer's business.
      strictSingleValueFields: false,
    };
    const session = connect('http://upstream', options);
    this.#session = session;
    session.once('connect', () => {
      // It is said of a session that was destroyed before, too.
      if (!session.destroyed) session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    });
    session.on('remoteSettings', (settings) => this.#onSettings(settings));
    session.on('ping', () => this.#countControl());
    session.on('goaway', (code, lastStreamId) => this.#onGoaway(code, lastStreamId));
    session.on('error', (error: Error) => {
      this.#error ??= error;
    });
    session.on('close', () => this.#onClose());
  }

  /** Another request may go over it. */
  get hasRoom(): boolean {
    return this.isAlive && this.streams < this.#mostStreams;
  }

  /** Node knows of the end of a session a moment before it says so. */
  get isAlive(): boolean {
    return !this.#isEnding && !this.#session.closed && !this.#session.destroyed;
  }

  /** It is idle no more. */
  lease(): void {
    this.#deadlines.clear(this);
  }

  /** A stream for one request. `isReused`: the peer may have been about to close the session when it was chosen. */
  open(isReused: boolean, authority: string): H2UpstreamStream {
    this.streams++;
    this.requests++;
    return new H2UpstreamStream(this, this.#session, this.#deadlines, { isReused, authority, requests: this.requests });
  }

  /** A stream was given up by us. */
  onCancelled(): void {
    if (++this.#cancels >= MOST_CANCELS) this.#end();
  }

  /** A stream was reset by the peer. */
  onReset(code: number): void {
    // It has too much of this connection already.
    if (code === constants.NGHTTP2_ENHANCE_YOUR_CALM) this.#end();
  }

  /** A stream's lease is over. */
  ended(): void {
    this.streams--;
    if (this.streams > 0) return;
    if (this.#isEnding || this.home?.keep(this) !== true) this.destroy();
  }

  /** Streams with higher numbers were not looked at by the peer. */
  isUnprocessed(streamId: number): boolean {
    return this.#lastStreamId >= 0 && streamId > this.#lastStreamId;
  }

  /** Why the session ended; `error`: what one of its streams heard of it. */
  failure(error: Error | null = null): ProxyError {
    if (this.#goawayCode !== constants.NGHTTP2_NO_ERROR) return goneAway(this.#goawayCode);
    return sessionFailure(this.#error ?? error);
  }

  /** Closes the connection. What still runs on it fails. */
  destroy(): void {
    this.#end();
    this.#waiter = null;
    this.#deadlines.remove(this);
    if (!this.#session.destroyed) this.#session.destroy();
  }

  /** Idle for too long. */
  onDeadline(): void {
    this.destroy();
  }

  #onSettings(settings: Settings): void {
    this.#countControl();
    if (this.#isEnding) return;
    this.#mostStreams = Math.min(settings.maxConcurrentStreams ?? MOST_STREAMS, MOST_STREAMS);
    const waiter = this.#waiter;
    this.#waiter = null;
    if (waiter !== null) waiter.onReady(this);
    else if (this.#mostStreams === 0) this.#retire();
  }

  #onGoaway(code: number, lastStreamId: number): void {
    this.#lastStreamId = lastStreamId;
    this.#goawayCode = code;
    this.#retire();
  }

  /** No more streams; those under way go on. */
  #retire(): void {
    this.#end();
    if (this.streams === 0 && this.#waiter === null) this.destroy();
  }

  /** Each is answered by nghttp2, so a peer that sends nothing else would keep us busy for nothing. */
  #countControl(): void {
    const now = turnMs();
    if (now - this.#countingSinceMs > 1000) {
      this.#countingSinceMs = now;
      this.#controlFrames = 0;
    }
    if (++this.#controlFrames <= MOST_CONTROL_FRAMES || this.#session.destroyed) return;
    this.#error ??= Object.assign(new Error(`more than ${MOST_CONTROL_FRAMES} SETTINGS and PING frames in a second`), {
      code: 'ERR_HTTP2_FLOOD',
    });
    this.#end();
    this.#session.destroy(this.#error, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#deadlines.remove(this);
    this.#end();
    const waiter = this.#waiter;
    this.#waiter = null;
    const isNoHttp2 = (this.#error as NodeJS.ErrnoException | null)?.code === 'ERR_HTTP2_ERROR';
    waiter?.onFailed(this.failure(), isNoHttp2);
  }

  #end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.home?.lost(this);
  }
}
