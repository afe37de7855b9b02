/** Where the lines of a log go: a file or a syslog server. */
export interface LogTarget {
  /** Adds one line, given without its line feed; a byte string. Never throws. `severity`: syslog's, 0 (emerg) to 7 (debug); files don't tell it. */
  write(line: string, severity?: number): void;
  /** Writes all that waits, now. */
  flush(): void;
}
