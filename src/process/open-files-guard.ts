import { closeSync, openSync, readFileSync } from 'node:fs';

/** How near something is to its limit. */
export const SHORTAGES = ['none', 'near', 'out'] as const;
export type Shortage = (typeof SHORTAGES)[number];

/** From this share of the limit on idle connections make room. */
const NEAR_SHARE = 5 / 8;
/** From here on nothing is accepted: connections that were accepted need others to their peers, and files. */
const OUT_SHARE = 6 / 8;
/** Descriptors that a worker without connections has open, roughly. */
const IDLE_FILES = 32;

/** Tells how near this process is to its limit of open files. Below half of the connections that could be it costs a comparison. */
export class OpenFilesGuard {
  readonly #near: number;
  readonly #out: number;
  readonly #safeConnections: number;

  /** `limit`: default RLIMIT_NOFILE of this process. */
  constructor(limit = openFilesLimit()) {
    this.#near = Math.floor(limit * NEAR_SHARE);
    this.#out = Math.floor(limit * OUT_SHARE);
    // Each may have one connection to a peer.
    this.#safeConnections = (this.#near - IDLE_FILES) / 2;
  }

  /** `connections`: those of clients. */
  shortage(connections: number): Shortage {
    if (connections < this.#safeConnections) return 'none';
    const fd = lowestFreeDescriptor();
    if (fd >= this.#out) return 'out';
    return fd >= this.#near ? 'near' : 'none';
  }
}

/** The kernel gives the lowest free number. Infinity: none is left. */
function lowestFreeDescriptor(): number {
  try {
    const fd = openSync('/dev/null', 'r');
    closeSync(fd);
    return fd;
  } catch {
    return Number.POSITIVE_INFINITY; // EMFILE
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
