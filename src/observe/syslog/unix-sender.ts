import { closeSync, writeSync } from 'node:fs';
import { nowMs } from '../../core/clock.ts';
import { type DatagramSender, MAX_WAITING_BYTES, type OnLost, whyOf } from './datagram-sender.ts';
import { connectUnixDatagram } from './unix-datagram.ts';

const BUSY_RETRY_MS = 10;
/** A server that isn't there is not looked for more often. */
const RECONNECT_MS = 1000;

/**
 * Datagrams to a socket of this machine (`/dev/log`). Writing is synchronous and never waits: what a busy server does not take
 * at once is kept for a while, within bounds.
 */
export class UnixSender implements DatagramSender {
  readonly #path: string;
  readonly #onLost: OnLost;
  readonly #now: () => number;
  #fd = -1;
  /** What a busy server has yet to take, in order. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  /** Why the last attempt to connect failed, and when the next one may be made. */
  #failure = '';
  #triesAtMs = Number.NEGATIVE_INFINITY;
  #isRetired = false;

  constructor(path: string, onLost: OnLost, now: () => number = nowMs) {
    this.#path = path;
    this.#onLost = onLost;
    this.#now = now;
  }

  send(message: Buffer): void {
    if (this.#waiting.length > 0) this.#keep(message);
    else if (this.#write(message) === 'busy') this.#keep(message);
    this.#closeWhenIdle();
  }

  retire(): void {
    this.#isRetired = true;
    this.#closeWhenIdle();
  }

  revive(): void {
    this.#isRetired = false;
  }

  #write(message: Buffer): 'done' | 'busy' {
    try {
      this.#writeOnce(message);
      return 'done';
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN' || code === 'ENOBUFS') return 'busy';
      if (code === 'EMSGSIZE') {
        this.#onLost(whyOf(error));
        return 'done';
      }
    }
    // Its server was started anew, perhaps: once more on a fresh socket.
    this.#close();
    try {
      this.#writeOnce(message);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 'busy';
      this.#close();
      this.#onLost(error instanceof NotTried ? this.#failure : whyOf(error));
    }
    return 'done';
  }

  #writeOnce(message: Buffer): void {
    if (this.#fd < 0) this.#connect();
    writeSync(this.#fd, message);
  }

  #connect(): void {
    if (this.#now() < this.#triesAtMs) throw new NotTried();
    try {
      this.#fd = connectUnixDatagram(this.#path);
      this.#triesAtMs = Number.NEGATIVE_INFINITY;
    } catch (error) {
      this.#failure = whyOf(error);
      this.#triesAtMs = this.#now() + RECONNECT_MS;
      throw error;
    }
  }

  #keep(message: Buffer): void {
    if (this.#waitingBytes + message.length > MAX_WAITING_BYTES) {
      this.#onLost('its server does not read them');
      return;
    }
    this.#waiting.push(message);
    this.#waitingBytes += message.length;
    this.#wait();
  }

  #wait(): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#retry();
    }, BUSY_RETRY_MS);
    this.#timer.unref();
  }

  #retry(): void {
    let count = 0;
    for (const message of this.#waiting) {
      if (this.#write(message) === 'busy') break;
      this.#waitingBytes -= message.length;
      count++;
    }
    this.#waiting = this.#waiting.slice(count);
    if (this.#waiting.length > 0) this.#wait();
    this.#closeWhenIdle();
  }

  #closeWhenIdle(): void {
    if (this.#isRetired && this.#waiting.length === 0) this.#close();
  }

  #close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** It was looked for a moment ago. */
class NotTried extends Error {}
