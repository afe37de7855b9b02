import { createRequire } from 'node:module';
import type { Logger, LoggerOptions } from 'pino';
import type { LogFields } from './error-line.ts';
import type { LogLevel } from './log-level.ts';

/** syslog's numbers turned round, as pino wants them: larger is worse. */
const LEVELS: Readonly<Record<LogLevel, number>> = {
  debug: 20,
  info: 30,
  notice: 35,
  warn: 40,
  error: 50,
  crit: 60,
  alert: 70,
  emerg: 80,
};

type MakeLogger = (options: LoggerOptions<LogLevel>, destination: { write(line: string): void }) => Logger<LogLevel>;

let made = '';
let logger: Logger<LogLevel> | null = null;

/** One line of `error_log … json`, without its line feed: level, time, pid, connection, the fields by name, msg. */
export function jsonLine(level: LogLevel, text: string, connection: number, fields: LogFields | null): string {
  const rest: Record<string, string | number> = {};
  if (connection > 0) rest['connection'] = connection;
  for (let i = 0; fields !== null && i < fields.length; i += 2)
    rest[fields[i] as string] = utf8(fields[i + 1] as string);
  logger ??= makeLogger();
  logger[level](rest, utf8(text));
  return Buffer.from(made.trimEnd(), 'utf8').toString('latin1');
}

/** Pino is loaded at the first line that needs it: most processes never do. */
function makeLogger(): Logger<LogLevel> {
  const pino = createRequire(import.meta.url)('pino') as MakeLogger & { stdTimeFunctions: { isoTime: () => string } };
  return pino(
    {
      level: 'debug',
      customLevels: LEVELS,
      useOnlyCustomLevels: true,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line) => {
        made = line;
      },
    },
  );
}

/** Byte string to text for people. */
function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
