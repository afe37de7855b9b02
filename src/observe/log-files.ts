import { ConfigError } from '../config/diagnostic.ts';
import { fullName } from '../config/full-name.ts';
import { systemErrorText } from '../config/system-error.ts';
import { LogFile, type LogFileOptions } from './log-file.ts';
import { SyslogServers } from './syslog/syslog-servers.ts';

/**
 * All log files of this process, error and access, one object per path however many directives name it.
 * A configuration opens its files between `begin` and `commit` (it is in force) or `abandon` (it was refused).
 */
export class LogFiles {
  readonly #files = new Map<string, LogFile>();
  #current = new Set<LogFile>();
  #next: Set<LogFile> | null = null;
  #prefix: string;
  /** Those that logs name instead of a file; they come and go with the configuration as the files do. */
  readonly syslog = new SyslogServers();

  /** `prefix`: what relative names hang under; ends in `/`. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The file of a path, relative ones under the prefix; `stderr` is the process's own. Throws ConfigError in nginx's words. */
  open(name: string, options: LogFileOptions = {}): LogFile {
    const path = name === 'stderr' || name === 'stdout' ? name : fullName(this.#prefix, name);
    let file = this.#files.get(path);
    try {
      if (file === undefined) this.#files.set(path, (file = new LogFile(path, options)));
      else file.revive();
    } catch (error) {
      throw new ConfigError(`open() "${path}" failed (${systemErrorText(error)})`);
    }
    if (options.bufferBytes !== undefined) file.setOptions(options);
    (this.#next ?? this.#current).add(file);
    return file;
  }

  begin(): void {
    this.#next = new Set();
    this.syslog.begin();
  }

  commit(): void {
    const next = this.#next ?? this.#current;
    for (const file of this.#current) if (!next.has(file)) file.retire();
    this.#current = next;
    this.#next = null;
    this.syslog.commit();
  }

  abandon(): void {
    for (const file of this.#next ?? []) if (!this.#current.has(file)) file.retire();
    this.#next = null;
    this.syslog.abandon();
  }

  /** Paths of the files in use, `stderr` and the like left out. */
  paths(): string[] {
    return [...this.#current].map((file) => file.path).filter((path) => path.startsWith('/'));
  }

  /** Gives the files in use to the workers' user; root only. */
  giveTo(uid: number): void {
    for (const file of this.#current) {
      try {
        file.giveTo(uid);
      } catch {
        // a file system without owners: the worker says so when it can't open it
      }
    }
  }

  /** USR1. Gives nginx's text for every file that could not be opened anew; that one goes on with the old file. */
  reopen(): string[] {
    const failures: string[] = [];
    for (const file of this.#current) {
      try {
        file.reopen();
      } catch (error) {
        failures.push(`open() "${file.path}" failed (${systemErrorText(error)})`);
      }
    }
    return failures;
  }

  /** Writes what waits for the end of the turn; `buffer=`ed lines wait on. Cheap when nothing waits. */
  flush(): void {
    for (const file of this.#current) file.flushTurn();
  }

  /** Everything, buffered lines too: for the end of the process. */
  flushAtExit(): void {
    for (const file of this.#files.values()) file.flushAtExit();
  }
}
