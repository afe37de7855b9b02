import { closeSync, openSync, writeSync } from 'node:fs';
import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseInteger, parseTimeSec } from '../../config/parse-value.ts';
import { systemErrorText } from '../../config/system-error.ts';

/** `open_log_file_cache`, for logs with variables in their names. */
export interface LogFileCacheConf {
  /** Most files kept open. */
  readonly maxFiles: number;
  /** A file that was not written for so long is closed. */
  readonly inactiveMs: number;
  /** A file is opened anew after so long, so that a rotated one is let go. */
  readonly validMs: number;
  /** A file is kept open once it was used so often within `inactiveMs`. */
  readonly minUses: number;
}

const DEFAULT_INACTIVE_SEC = 10;
const DEFAULT_VALID_SEC = 60;

/** `max=N [inactive=time] [min_uses=N] [valid=time] | off`; `off` gives null. */
export function parseLogFileCache(use: DirectiveUse): LogFileCacheConf | null {
  let maxFiles = 0;
  let inactiveSec = DEFAULT_INACTIVE_SEC;
  let validSec = DEFAULT_VALID_SEC;
  let minUses = 1;
  let isOff = false;
  for (const option of use.args) {
    const [name, value = ''] = option.split('=', 2);
    const refuse = (): never => use.fail(`invalid "open_log_file_cache" parameter "${option}"`);
    if (option === 'off') isOff = true;
    else if (name === 'max' && option.includes('=')) maxFiles = parseInteger(value) ?? refuse();
    else if (name === 'min_uses' && option.includes('=')) minUses = parseInteger(value) || refuse();
    else if (name === 'inactive' && option.includes('=')) inactiveSec = parseTimeSec(value) ?? refuse();
    else if (name === 'valid' && option.includes('=')) validSec = parseTimeSec(value) ?? refuse();
    else refuse();
  }
  if (isOff) return null;
  if (maxFiles === 0) use.fail('"open_log_file_cache" must have "max" parameter');
  return { maxFiles, inactiveMs: inactiveSec * 1000, validMs: validSec * 1000, minUses };
}

interface OpenFile {
  fd: number;
  openedAtMs: number;
  usedAtMs: number;
  uses: number;
}

/**
 * Writes lines to files whose names are known at the request only. Each line is its own write, at once, as in nginx.
 * Without a cache every line opens and closes its file; with one, the files used last stay open.
 */
export class LogFileCache {
  readonly #conf: LogFileCacheConf | null;
  readonly #now: () => number;
  /** Least recently used first. `fd` -1: counted, not kept open yet. */
  readonly #files = new Map<string, OpenFile>();
  #timer: NodeJS.Timeout | null = null;

  constructor(conf: LogFileCacheConf | null, now: () => number) {
    this.#conf = conf;
    this.#now = now;
  }

  /** Appends `text`. Gives nginx's words for what failed, null when it is written. `path` is absolute. */
  append(path: string, text: string): string | null {
    const name = path.includes('\0') ? path.slice(0, path.indexOf('\0')) : path;
    let fd: number;
    try {
      fd = this.#open(name);
    } catch (error) {
      return `open() "${name}" failed (${systemErrorText(error)})`;
    }
    try {
      writeSync(fd, text, null, 'latin1');
      return null;
    } catch (error) {
      return `write() to "${name}" failed (${systemErrorText(error)})`;
    } finally {
      if (this.#files.get(name)?.fd !== fd) closeSync(fd);
    }
  }

  /** Files that are open now. */
  get openCount(): number {
    let count = 0;
    for (const file of this.#files.values()) if (file.fd >= 0) count++;
    return count;
  }

  /** Closes all. */
  close(): void {
    for (const name of [...this.#files.keys()]) this.#drop(name);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #open(name: string): number {
    const conf = this.#conf;
    if (conf === null) return openLog(name);
    const now = this.#now();
    const known = this.#files.get(name);
    if (known !== undefined && known.fd >= 0 && now - known.openedAtMs >= conf.validMs) this.#drop(name);
    const file = this.#files.get(name) ?? { fd: -1, openedAtMs: now, usedAtMs: now, uses: known?.uses ?? 0 };
    this.#files.delete(name);
    if (file.fd < 0) {
      const fd = openLog(name);
      file.openedAtMs = now;
      if (file.uses + 1 < conf.minUses) {
        file.uses++;
        file.usedAtMs = now;
        this.#keep(name, file, conf);
        return fd;
      }
      file.fd = fd;
    }
    file.uses++;
    file.usedAtMs = now;
    this.#keep(name, file, conf);
    return file.fd;
  }

  #keep(name: string, file: OpenFile, conf: LogFileCacheConf): void {
    this.#files.set(name, file);
    for (const oldest of this.#files.keys()) {
      if (this.#files.size <= conf.maxFiles) break;
      this.#drop(oldest);
    }
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => this.#dropInactive(conf), Math.max(conf.inactiveMs, 1000));
    this.#timer.unref();
  }

  #dropInactive(conf: LogFileCacheConf): void {
    const before = this.#now() - conf.inactiveMs;
    for (const [name, file] of [...this.#files]) if (file.usedAtMs <= before) this.#drop(name);
    if (this.#files.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #drop(name: string): void {
    const file = this.#files.get(name);
    this.#files.delete(name);
    if (file !== undefined && file.fd >= 0) closeSync(file.fd);
  }
}

function openLog(name: string): number {
  return openSync(Buffer.from(name, 'latin1'), 'a', 0o644);
}
