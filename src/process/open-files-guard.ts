import { closeSync, openSync, readFileSync } from 'node:fs';

/** Of the limit, kept free: connections that were accepted need others to their peers, and files. */
const RESERVED_SHARE = 0.25;
/** Descriptors that a worker without connections has open, roughly. */
const IDLE_FILES = 32;

/** Tells when this process comes near its limit of open files. Below half of the connections that could be it costs a comparison. */
export class OpenFilesGuard {
  readonly #most: number;
  readonly #safeConnections: number;

  /** `limit`: default RLIMIT_NOFILE of this process. */
  constructor(limit = openFilesLimit()) {
    this.#most = Math.floor(limit * (1 - RESERVED_SHARE));
    // Each may have one connection to a peer.
    this.#safeConnections = (this.#most - IDLE_FILES) / 2;
  }

  /** `connections`: those of clients; Infinity = look in any case. */
  isShort(connections: number): boolean {
    if (connections < this.#safeConnections) return false;
    try {
      // The kernel gives the lowest free number.
      const fd = openSync('/dev/null', 'r');
      closeSync(fd);
      return fd >= this.#most;
    } catch {
      return true; // none left at all
    }
  }
}

function openFilesLimit(): number {
  try {
    const line = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return line?.[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(line?.[1] ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY; // no /proc: no guard
  }
}
