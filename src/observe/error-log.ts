import { errorLine, type LogFields } from './error-line.ts';
import { jsonLine } from './json-line.ts';
import { type LogLevel, levelRank } from './log-level.ts';
import type { LogTarget } from './log-target.ts';

/** One `error_log` directive, its file open. */
export interface ErrorLogTarget {
  readonly file: LogTarget;
  readonly level: LogLevel;
  /** `nginx`: its line format; `json`: one object a line. */
  readonly format: 'nginx' | 'json';
}

/** What code without a request writes to. */
export interface Log {
  isEnabled(level: LogLevel): boolean;
  /**
   * `text` in nginx's words. `connection`: the client connection's serial number, 0 = none.
   * `fields`: pairs such as `client`, `127.0.0.1`, `server`, `0.0.0.0:80`.
   */
  write(level: LogLevel, text: string, connection?: number, fields?: LogFields | null): void;
}

/** The error log of one scope: all its targets. Lines of `crit` and above reach the file at once, others by the end of the turn. */
export class ErrorLog implements Log {
  readonly #targets: readonly ErrorLogTarget[];
  readonly #rank: number;

  constructor(targets: readonly ErrorLogTarget[]) {
    this.#targets = targets;
    this.#rank = Math.max(0, ...targets.map((target) => levelRank(target.level)));
  }

  isEnabled(level: LogLevel): boolean {
    return levelRank(level) <= this.#rank;
  }

  write(level: LogLevel, text: string, connection = 0, fields: LogFields | null = null): void {
    const rank = levelRank(level);
    if (rank > this.#rank) return;
    for (const target of this.#targets) {
      if (rank > levelRank(target.level)) continue;
      target.file.write(
        target.format === 'json'
          ? jsonLine(level, text, connection, fields)
          : errorLine(level, text, connection, fields),
        rank - 1,
      );
      if (rank <= SEVERE_RANK) target.file.flush();
    }
  }
}

const SEVERE_RANK = levelRank('crit');
