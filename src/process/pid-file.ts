import { closeSync, constants, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { ConfigError } from '../config/diagnostic.ts';
import { fullName } from '../config/full-name.ts';
import { systemErrorText } from '../config/system-error.ts';
import type { Configuration } from './configuration.ts';

/** The primary's pid file: there while it listens. A reload may move it, in two steps, so that a refused configuration costs nothing. */
export class PidFile {
  #path: string;
  #isWritten = false;
  /** Written, and not in force yet. */
  #nextPath: string | null = null;

  /** `path`: absolute. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Throws ConfigError in nginx's words. */
  write(): void {
    writePid(this.#path);
    this.#isWritten = true;
  }

  /** Writes it at another path too. Throws ConfigError in nginx's words, and nothing has changed then. */
  stage(path: string): void {
    if (path === this.#path) return;
    writePid(path);
    this.#nextPath = path;
  }

  /** From here on it is only where `stage` put it. Gives nginx's text when the old one can't be removed. */
  commit(): string | null {
    if (this.#nextPath === null) return null;
    const failure = removePid(this.#path);
    this.#path = this.#nextPath;
    this.#nextPath = null;
    return failure;
  }

  /** What `stage` wrote is not wanted. */
  abandon(): void {
    if (this.#nextPath !== null) removePid(this.#nextPath);
    this.#nextPath = null;
  }

  /** Gives nginx's text when it can't be removed. Only what `write` wrote. */
  remove(): string | null {
    if (!this.#isWritten) return null;
    this.#isWritten = false;
    return removePid(this.#path);
  }
}

/** The path that a configuration names. */
export function pidPath({ core, forWorkers }: Configuration): string {
  return fullName(forWorkers.snapshot.prefix, core.pidFile);
}

/** No link is followed: it may stand in a folder that others write to, and root would empty what it leads to. */
const REPLACE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

function writePid(path: string): void {
  try {
    const fd = openSync(Buffer.from(path, 'latin1'), REPLACE, 0o644);
    writeSync(fd, `${process.pid}\n`);
    closeSync(fd);
  } catch (error) {
    throw new ConfigError(`open() "${path}" failed (${systemErrorText(error)})`);
  }
}

function removePid(path: string): string | null {
  try {
    unlinkSync(Buffer.from(path, 'latin1'));
    return null;
  } catch (error) {
    return `unlink() "${path}" failed (${systemErrorText(error)})`;
  }
}

/** The pid in a file, for `-s`. Throws ConfigError in nginx's words. */
export function readPid(path: string): number {
  let text: string;
  try {
    text = readFileSync(Buffer.from(path, 'latin1'), 'latin1');
  } catch (error) {
    throw new ConfigError(`open() "${path}" failed (${systemErrorText(error)})`);
  }
  const digits = text.replace(/[\r\n]+$/, '');
  if (!/^[1-9][0-9]*$/.test(digits)) throw new ConfigError(`invalid PID number "${digits}" in "${path}"`);
  return Number(digits);
}
