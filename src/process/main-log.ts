import type { LogFields } from '../observe/error-line.ts';
import type { ErrorLog, Log } from '../observe/error-log.ts';
import { type LogLevel, levelRank } from '../observe/log-level.ts';

const WARN_RANK = levelRank('warn');

/**
 * The process's main error log, whatever file holds it at present: the one of `-e` before the configuration is read, then those of
 * its `error_log`, exchanged at reload. While the program starts, warnings and worse go to stderr too, as `nginx: [emerg] …`.
 */
export class MainLog implements Log {
  #log: ErrorLog | null = null;
  #say: ((text: string) => void) | null;
  /** One of the logs is stderr itself. */
  #isStderr = false;

  /** `say`: tells who started the program about warnings and worse, until `started`; null: nobody did. */
  constructor(say: ((text: string) => void) | null) {
    this.#say = say;
  }

  /** From here on lines go to `log`. `isStderr`: it is (also) the process's stderr. */
  use(log: ErrorLog, isStderr: boolean): void {
    this.#log = log;
    this.#isStderr = isStderr;
  }

  started(): void {
    this.#say = null;
  }

  isEnabled(level: LogLevel): boolean {
    return (this.#log?.isEnabled(level) ?? false) || (this.#say !== null && levelRank(level) <= WARN_RANK);
  }

  write(level: LogLevel, text: string, connection = 0, fields: LogFields | null = null): void {
    this.#log?.write(level, text, connection, fields);
    if (!this.#isStderr && levelRank(level) <= WARN_RANK) this.#say?.(`nginx: [${level}] ${text}\n`);
  }
}
