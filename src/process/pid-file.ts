import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { ConfigError } from '../config/diagnostic.ts';
import { systemErrorText } from '../config/system-error.ts';

/** The primary's pid file: there while it listens. */
export class PidFile {
  readonly path: string;
  #isWritten = false;

  /** `path`: absolute. */
  constructor(path: string) {
    this.path = path;
  }

  /** Throws ConfigError in nginx's words. */
  write(): void {
    try {
      writeFileSync(this.#name, `${process.pid}\n`, { mode: 0o644 });
      this.#isWritten = true;
    } catch (error) {
      throw new ConfigError(`open() "${this.path}" failed (${systemErrorText(error)})`);
    }
  }

  /** Gives nginx's text when it can't be removed. Only what `write` wrote. */
  remove(): string | null {
    if (!this.#isWritten) return null;
    this.#isWritten = false;
    try {
      unlinkSync(this.#name);
      return null;
    } catch (error) {
      return `unlink() "${this.path}" failed (${systemErrorText(error)})`;
    }
  }

  get #name(): Buffer {
    return Buffer.from(this.path, 'latin1');
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
