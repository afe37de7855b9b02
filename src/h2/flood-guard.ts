import type { Http2Settings } from '../http/http2-settings.ts';

/** What a client does too often, as the log has it. */
export const FLOODS = ['resets', 'control frames', 'bytes that belong to no request'] as const;
export type Flood = (typeof FLOODS)[number];

/** Bytes of a frame that is nothing but its header: what each message of a client's may cost besides its content. */
const FRAME_BYTES = 9;
/** So many bytes a second may come that no count has seen: window updates, padding, unknown frames. */
const IDLE_BYTES_PER_CONTROL_FRAME = 64;
/** One WINDOW_UPDATE for the stream and one for the connection, for so much that was sent. */
const SENT_BYTES_PER_UPDATE_BYTE = 64;
const SECOND_MS = 1000;

/**
 * Counts what costs a server much and a client little: requests that are reset at once (CVE-2023-44487), also when the client makes us reset
 * them (CVE-2025-8671), PING and SETTINGS (CVE-2019-9512, -9515), and, by their bytes, all frames that nobody tells of: WINDOW_UPDATE,
 * PRIORITY, padding, unknown ones. Windows of one second; `null` from a count: all is well.
 *
 * What nghttp2 and node:http2 refuse by themselves: CONTINUATION without end (CVE-2024-28182), empty frames (CVE-2019-9518), answers to
 * PING and SETTINGS that are not read.
 */
export class FloodGuard {
  readonly #settings: Http2Settings;
  #secondAtMs = Number.NEGATIVE_INFINITY;
  #resets = 0;
  #controlFrames = 0;
  /** Bytes read, and of them those that were messages, since the connection began. */
  #messageBytes = 0;
  #sentBytes = 0;
  #idleBytesBefore = 0;

  constructor(settings: Http2Settings) {
    this.#settings = settings;
  }

  reset(nowMs: number, readBytes: number): Flood | null {
    this.#turn(nowMs, readBytes);
    const { maxResetsPerSec } = this.#settings;
    return maxResetsPerSec > 0 && ++this.#resets > maxResetsPerSec ? 'resets' : null;
  }

  controlFrame(nowMs: number, readBytes: number): Flood | null {
    this.#turn(nowMs, readBytes);
    const { maxControlFramesPerSec } = this.#settings;
    return maxControlFramesPerSec > 0 && ++this.#controlFrames > maxControlFramesPerSec ? 'control frames' : null;
  }

  /** A head or a piece of a body came: its length, decompressed. */
  message(bytes: number): void {
    this.#messageBytes += bytes + FRAME_BYTES;
  }

  sent(bytes: number): void {
    this.#sentBytes += bytes;
  }

  /** `readBytes`: all that the connection has read. Asked now and then. */
  check(nowMs: number, readBytes: number): Flood | null {
    const { maxControlFramesPerSec } = this.#settings;
    const seconds = Math.max(1, (nowMs - this.#secondAtMs) / SECOND_MS);
    const mostBytes = maxControlFramesPerSec * IDLE_BYTES_PER_CONTROL_FRAME * seconds;
    const isOver = maxControlFramesPerSec > 0 && this.#idleBytes(readBytes) - this.#idleBytesBefore > mostBytes;
    this.#turn(nowMs, readBytes);
    return isOver ? 'bytes that belong to no request' : null;
  }

  #idleBytes(readBytes: number): number {
    return readBytes - this.#messageBytes - this.#sentBytes / SENT_BYTES_PER_UPDATE_BYTE;
  }

  #turn(nowMs: number, readBytes: number): void {
    if (nowMs - this.#secondAtMs < SECOND_MS) return;
    this.#secondAtMs = nowMs;
    this.#resets = 0;
    this.#controlFrames = 0;
    this.#idleBytesBefore = this.#idleBytes(readBytes);
  }
}
