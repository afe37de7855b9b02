import type { LogFields } from '../observe/error-line.ts';
import type { ErrorLog, Log } from '../observe/error-log.ts';
import { type LogLevel, levelRank } from '../observe/log-level.ts';
import { writeStderr } from '../observe/stderr.ts';

const WARN_RANK = levelRank('warn');

/**
 * The process's main error log, whatever file holds it at present: the one of `-e` before the configuration is read, then those of
 * its `error_log`, exchanged at reload. While the program starts, warnings and worse go to stderr too, as `nginx: [emerg] …`.
 */
export class MainLog implements Log {
  #log: ErrorLog | null = null;
  #isToStderr: boolean;
  /** One of the logs is stderr itself. */
  #isStderr = false;

  /** `isToStderr`: say warnings and worse on stderr until `started`. */
  constructor(isToStderr: boolean) {
    this.#isToStderr = isToStderr;
  }

  /** From here on lines go to `log`. `isStderr`: it is (also) the process's stderr. */
  use(log: ErrorLog, isStderr: boolean): void {
    this.#log = log;
    this.#isStderr = isStderr;
  }

  started(): void {
    this.#isToStderr = false;
  }

  isEnabled(level: LogLevel): boolean {
    return (this.#log?.isEnabled(level) ?? false) || (this.#isToStderr && levelRank(level) <= WARN_RANK);
  }

  write(level: LogLevel, text: string, connection = 0, fields: LogFields | null = null): void {
    this.#log?.write(level, text, connection, fields);
    if (this.#isToStderr && !this.#isStderr && levelRank(level) <= WARN_RANK) {
      writeStderr(`nginx: [${level}] ${text}\n`);
    }
  }
}
