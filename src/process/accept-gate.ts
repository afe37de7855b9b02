import { nowMs } from '../core/clock.ts';
import { strerror } from '../core/strerror.ts';
import type { Log } from '../observe/error-log.ts';
import { OpenFilesGuard, type Shortage } from './open-files-guard.ts';

export interface AcceptGateParts {
  readonly log: Log;
  /** Connections of clients that are open. */
  readonly connectionCount: () => number;
  /** Closes some connections that are idle; tells how many. */
  readonly closeIdle: () => number;
  /** Accepts no more, on any address. Null: accepting can't be taken up again, so it is never stopped. */
  readonly pause: (() => void) | null;
  /** Accepts again. */
  readonly resume: () => void;
}

/** How often it looks whether there is room again. */
const LOOK_EVERY_MS = 100;
/** Shortages no further apart than this are one episode. */
const EPISODE_GAP_MS = 10_000;
/** nginx's: of worker_connections, idle ones make room when fewer than a sixteenth are left. */
const NEAR_FULL_SHARE = 15 / 16;

/**
 * Lets no more connections in than there is room for: `worker_connections` of clients, and open files.
 *
 * ```
 *  none --> near   idle connections are closed, the longest idle first
 *           out    accepting pauses, clients wait in the kernel's queue; what is open is served
 * ```
 * Left alone, libuv would accept and close connections at once when no file descriptor is left, without a word.
 * One log line for each episode, which ends when there has been plenty of room for a while.
 */
export class AcceptGate {
  readonly #parts: AcceptGateParts;
  readonly #files: OpenFilesGuard;
  #maxConnections = Number.POSITIVE_INFINITY;
  #isPaused = false;
  #said: Shortage = 'none';
  #shortAtMs = Number.NEGATIVE_INFINITY;

  /** `files`: default this process's. */
  constructor(parts: AcceptGateParts, files = new OpenFilesGuard()) {
    this.#parts = parts;
    this.#files = files;
  }

  /** `worker_connections`. */
  limitTo(connections: number): void {
    this.#maxConnections = connections;
  }

  /** Behind each accept. */
  onAccepted(): void {
    const count = this.#parts.connectionCount();
    const isFull = this.#fullness(count);
    const isOutOfFiles = this.#files.shortage(count);
    if (isFull === 'none' && isOutOfFiles === 'none') return;
    this.#beginEpisode();
    const closed = this.#parts.closeIdle();
    if (isFull === 'out' || isOutOfFiles === 'out') this.#pause(isOutOfFiles === 'out');
    else if (isFull === 'near' && closed > 0) {
      this.#say('near', 'warn', `${this.#maxConnections} worker_connections are not enough, reusing connections`);
    }
  }

  #fullness(count: number): Shortage {
    if (count >= this.#maxConnections) return 'out';
    return count > this.#maxConnections * NEAR_FULL_SHARE ? 'near' : 'none';
  }

  #pause(isOutOfFiles: boolean): void {
    if (this.#parts.pause === null) return;
    if (isOutOfFiles) this.#say('out', 'crit', `accept4() failed (${strerror('EMFILE')}), accepting pauses`);
    else this.#say('out', 'alert', `${this.#maxConnections} worker_connections are not enough, accepting pauses`);
    // Also what a reload has opened since.
    this.#parts.pause();
    if (!this.#isPaused) this.#lookLater();
    this.#isPaused = true;
  }

  #lookLater(): void {
    setTimeout(() => {
      const count = this.#parts.connectionCount();
      if (this.#fullness(count) !== 'out' && this.#files.shortage(Number.POSITIVE_INFINITY) !== 'out') {
        this.#isPaused = false;
        this.#parts.resume();
        return;
      }
      this.#parts.closeIdle();
      this.#lookLater();
    }, LOOK_EVERY_MS).unref();
  }

  /** Or goes on with the one that there is. */
  #beginEpisode(): void {
    const now = nowMs();
    if (now - this.#shortAtMs > EPISODE_GAP_MS) this.#said = 'none';
    this.#shortAtMs = now;
  }

  #say(what: Shortage, level: 'warn' | 'crit' | 'alert', text: string): void {
    if (this.#said === what || this.#said === 'out') return;
    this.#said = what;
    this.#parts.log.write(level, text);
  }
}
