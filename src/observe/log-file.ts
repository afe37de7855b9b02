import { closeSync, constants, fchownSync, fstatSync, lstatSync, openSync, readlinkSync, writeSync } from 'node:fs';

export interface LogFileOptions {
  /** `buffer=`: lines are kept until so many bytes are there. 0 (default): until the end of the event-loop turn. */
  readonly bufferBytes?: number;
  /** `flush=`: longest time that a line waits in the buffer, in ms. 0 (default): no limit. */
  readonly flushMs?: number;
}

const APPEND = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND;
/** What a reader that does not read may make us keep; beyond, lines are dropped (nginx would stand still). */
const MAX_PENDING_CHARS = 1 << 22;
const BUSY_RETRY_MS = 10;
const MAX_BUSY_WAITS_AT_EXIT = 100;

/**
 * One log file of this process. Lines of one event-loop turn go out in one write on a descriptor in append mode, so that lines
 * of several processes never mix. Writing is synchronous, as in nginx: nothing is lost at exit and order is the order of `write`.
 *
 * Whoever closes a client's connection calls `flushTurn` (or `LogFiles.flush`) before, so that the client never sees the end
 * of its connection before its line is in the file.
 */
export class LogFile {
  /** As opened: absolute, or `stderr` / `stdout`. */
  readonly path: string;
  #fd: number;
  #pending = '';
  #bufferBytes = 0;
  #flushMs = 0;
  #isScheduled = false;
  #timer: NodeJS.Timeout | null = null;
  /** No configuration names it any more; only old requests still write. It is then open only while it writes. */
  #isRetired = false;
  readonly #endTurn = (): void => {
    this.#isScheduled = false;
    this.flushTurn();
  };

  /** Throws the system's error when the file can't be opened. */
  constructor(path: string, options: LogFileOptions = {}) {
    this.path = path;
    this.#fd = openLog(path);
    this.setOptions(options);
  }

  setOptions(options: LogFileOptions): void {
    this.#bufferBytes = options.bufferBytes ?? 0;
    this.#flushMs = options.flushMs ?? 0;
  }

  /** Adds one line, given without its line feed; a byte string. Never throws. */
  write(line: string): void {
    if (this.#pending.length > MAX_PENDING_CHARS) return; // the reader of a pipe stands still
    if (this.#bufferBytes > 0 && this.#pending.length + line.length >= this.#bufferBytes) this.flush();
    this.#pending += `${line}\n`;
    if (this.#bufferBytes === 0) {
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      setImmediate(this.#endTurn);
    } else if (this.#pending.length >= this.#bufferBytes) {
      this.flush();
    } else if (this.#flushMs > 0 && this.#timer === null) {
      this.#flushLater(this.#flushMs);
    }
  }

  /** Writes what waits for the end of the turn, now. */
  flushTurn(): void {
    if (this.#bufferBytes === 0) this.flush();
  }

  /** Writes all that waits, now. */
  flush(): void {
    if (this.#pending === '') return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#writeOut()) this.#flushLater(BUSY_RETRY_MS);
    if (this.#isRetired) this.#close();
  }

  /** As `flush`, for the last moment of the process: waits a while for a slow reader. */
  flushAtExit(): void {
    for (let wait = 0; this.#pending !== '' && wait < MAX_BUSY_WAITS_AT_EXIT; wait++) {
      if (wait > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_RETRY_MS);
      if (this.#writeOut()) return;
    }
  }

  /** Opens the path anew (USR1) after writing what waits to the old file. Throws when it can't; the old file then stays. */
  reopen(): void {
    this.flush();
    if (this.#isRetired) return;
    const fd = openLog(this.path);
    this.#close();
    this.#fd = fd;
  }

  /** A configuration names the file (again). Throws when it can't be opened. */
  revive(): void {
    if (this.#fd < 0) this.#fd = openLog(this.path);
    this.#isRetired = false;
  }

  /** No configuration names the file any more: closes it; late lines open it for a moment. */
  retire(): void {
    this.flush();
    this.#isRetired = true;
    this.#close();
  }

  /** Root's part: gives an ordinary file to the workers' user. By descriptor, so that nobody puts another file in its place. */
  giveTo(uid: number): void {
    if (this.#fd <= 2) return;
    const found = fstatSync(this.#fd);
    if (found.isFile() && found.nlink === 1 && found.uid !== uid) fchownSync(this.#fd, uid, found.gid);
  }

  /** False: nothing could be written now and what waits still waits. */
  #writeOut(): boolean {
    try {
      if (this.#fd < 0) this.#fd = openLog(this.path);
      while (this.#pending !== '') {
        const written = writeSync(this.#fd, this.#pending, null, 'latin1');
        this.#pending = this.#pending.slice(written);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
      this.#pending = ''; // disk full, broken pipe: there is nowhere to say so
    }
    return true;
  }

  #flushLater(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.flush();
    }, ms);
    this.#timer.unref();
  }

  #close(): void {
    if (this.#fd > 2) closeSync(this.#fd);
    if (this.#fd > 2 || this.#isRetired) this.#fd = -1;
  }
}

/**
 * `stderr` and `stdout` are the process's own. What a link leads to `/dev/stderr` (containers do that to `/var/log/nginx/error.log`) can't be opened
 * by name when it is a socket or another user's pipe: then the descriptor that is open already is taken.
 */
function openLog(path: string): number {
  if (path === 'stderr') return 2;
  if (path === 'stdout') return 1;
  try {
    return openSync(Buffer.from(path, 'latin1'), APPEND | (mayFollow(path) ? 0 : constants.O_NOFOLLOW), 0o644);
  } catch (error) {
    const target = linkTarget(path);
    if (target === '/dev/stderr' || target === '/proc/self/fd/2') return 2;
    if (target === '/dev/stdout' || target === '/proc/self/fd/1') return 1;
    throw error;
  }
}

/**
 * Folders of logs often belong to the workers' user. Root follows no link there but its own: whoever has taken over a worker could have it
 * write to, and give away, any file of the machine.
 */
function mayFollow(path: string): boolean {
  if (process.geteuid?.() !== 0) return true;
  try {
    const found = lstatSync(Buffer.from(path, 'latin1'));
    return found.isSymbolicLink() && found.uid === 0;
  } catch {
    return false; // not there: it is made, not followed
  }
}

/** Where a link leads, one step; the path itself when it is none. */
function linkTarget(path: string): string {
  if (path.startsWith('/dev/std')) return path;
  try {
    return readlinkSync(Buffer.from(path, 'latin1'), 'latin1');
  } catch {
    return path; // no link, or not there
  }
}
