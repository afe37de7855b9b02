import { closeSync, constants, mkdirSync, openSync, readSync, rmSync, unlinkSync, writeSync } from 'node:fs';

/** Where temporary files go: `proxy_temp_path`, `client_body_temp_path`. */
export interface TempPath {
  /** Absolute directory (byte string). Made at the first use, with its parents. */
  readonly directory: string;
  /** Digits of the number's end that name each level of subdirectories, as nginx's `levels`; empty = none. */
  readonly levels: readonly number[];
}

const OWNER_ONLY = 0o600;
const DIRECTORY_MODE = 0o700;

/** 'unlinked' at once; 'until-closed', for others to read by name meanwhile; 'kept' for ever. */
export type TempFileLife = 'unlinked' | 'until-closed' | 'kept';

let lastNumber = 0;

/**
 * A temporary file. By default one without a name: opened, unlinked at once, and gone when it is closed, whatever happens to the process.
 *
 * Reads and writes are synchronous, as nginx's own without aio: they go to the page cache, and keep the order of events simple.
 * The trade-off is that a slow disk slows the worker.
 */
export class TempFile {
  /** Name that it had, for the log. */
  readonly name: string;
  /** Bytes written. */
  sizeBytes = 0;
  readonly #life: TempFileLife;
  #fd: number;

  private constructor(name: string, fd: number, life: TempFileLife) {
    this.name = name;
    this.#fd = fd;
    this.#life = life;
  }

  /** Throws the system's error when the file cannot be made. */
  static open(where: TempPath, life: TempFileLife = 'unlinked'): TempFile {
    for (;;) {
      const number = String(++lastNumber).padStart(10, '0');
      const directory = subdirectory(where, number);
      const name = `${directory}/${number}`;
      try {
        const fd = openUnnamed(name, directory);
        if (life === 'unlinked') unlinkSync(Buffer.from(name, 'latin1'));
        return new TempFile(name, fd, life);
      } catch (error) {
        // Another worker has this number: take the next one.
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        lastNumber += process.pid % 10_000;
      }
    }
  }

  append(bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) done += writeSync(this.#fd, bytes, done, bytes.length - done, this.sizeBytes + done);
    this.sizeBytes += bytes.length;
  }

  /** Fills `into` from `position` on; returns how many bytes there were. */
  readAt(position: number, into: Uint8Array): number {
    const wanted = Math.min(into.length, this.sizeBytes - position);
    let done = 0;
    while (done < wanted) {
      const count = readSync(this.#fd, into, done, wanted - done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  /** Forgets what was written: the next `append` begins at 0. */
  rewind(): void {
    this.sizeBytes = 0;
  }

  close(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
    if (this.#life === 'until-closed') rmSync(Buffer.from(this.name, 'latin1'), { force: true });
  }
}

function openUnnamed(name: string, directory: string): number {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
  const path = Buffer.from(name, 'latin1');
  try {
    return openSync(path, flags, OWNER_ONLY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(Buffer.from(directory, 'latin1'), { recursive: true, mode: DIRECTORY_MODE });
    return openSync(path, flags, OWNER_ONLY);
  }
}

/** nginx's layout: with levels `1 2`, file 0000012345 lies in `5/34/`. */
function subdirectory(where: TempPath, number: string): string {
  let directory = where.directory;
  let end = number.length;
  for (const digits of where.levels) {
    directory += `/${number.slice(end - digits, end)}`;
    end -= digits;
  }
  return directory;
}
