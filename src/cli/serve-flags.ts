import type { Argv } from 'yargs';
import { parseTimeMs } from '../config/parse-value.ts';
import { UsageError } from './usage-error.ts';

/** Balancing methods of `--algorithm`. */
export const ALGORITHMS = ['round_robin', 'least_conn', 'ip_hash', 'hash', 'random'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** Conditions of `--next-upstream`: nginx's own. */
export const NEXT_UPSTREAM = [
  'error',
  'timeout',
  'invalid_header',
  'http_500',
  'http_502',
  'http_503',
  'http_504',
  'http_403',
  'http_404',
  'http_429',
  'non_idempotent',
  'off',
] as const;

/** Flags of `evenkeel serve`, checked. Times are in nginx's notation. */
export interface ServeFlags {
  readonly listen: readonly string[];
  readonly backend: readonly string[];
  readonly algorithm: Algorithm;
  readonly hashKey: string;
  readonly maxFails: number;
  readonly failTimeout: string;
  readonly nextUpstream: readonly string[];
  readonly tries: number;
  readonly triesTimeout: string;
  readonly connectTimeout: string;
  readonly readTimeout: string;
  readonly keepalive: number;
  readonly workers: string;
  readonly status: string | undefined;
  readonly accessLog: string;
  readonly errorLog: string;
  readonly printConfig: boolean;
}

/** Declares the flags of `serve`; what yargs can't check is checked in `coerce`, what only nginx's grammar knows in check-serve. */
export function serveFlags(command: Argv): Argv<ServeFlags> {
  const declared = command
    .option('listen', { ...LIST, default: '8080', describe: 'Address or port; may be repeated' })
    .option('backend', {
      ...LIST,
      demandOption: 'Name at least one backend: --backend HOST:PORT',
      describe: 'HOST:PORT or unix:PATH; may be repeated; words of nginx may follow: "10.0.0.1:80 weight=2 backup"',
    })
    .option('algorithm', {
      ...text('algorithm'),
      choices: ALGORITHMS,
      default: 'round_robin' as Algorithm,
      describe: 'How to choose',
    })
    .option('hash-key', { ...text('hash-key'), default: '$request_uri', describe: 'What --algorithm hash looks at' })
    .option('max-fails', { ...count('max-fails'), default: 3, describe: 'Failures that put a backend out; 0: never' })
    .option('fail-timeout', {
      ...time('fail-timeout'),
      default: '30s',
      describe: 'How long they count, and it stays out',
    })
    .option('next-upstream', {
      ...text('next-upstream', conditions),
      default: 'error,timeout,http_502,http_503,http_504',
      describe: 'What makes a request go to the next backend',
    })
    .option('tries', { ...count('tries'), default: 3, describe: 'Most backends tried for a request; 0: all' })
    .option('tries-timeout', {
      ...time('tries-timeout'),
      default: '15s',
      describe: 'Longest time for all tries; 0: none',
    })
    .option('connect-timeout', { ...time('connect-timeout'), default: '5s', describe: 'Longest time to connect' })
    .option('read-timeout', { ...time('read-timeout'), default: '60s', describe: 'Longest silence of a backend' })
    .option('keepalive', {
      ...count('keepalive'),
      default: 32,
      describe: 'Idle connections kept by each worker; 0: none',
    })
    .option('workers', { ...text('workers', workers), default: 'auto', describe: 'Processes; auto: one a core' })
    .option('status', { ...text('status'), describe: 'Address of the status server; a port alone is on 127.0.0.1' })
    .option('access-log', { ...text('access-log'), default: 'off', describe: 'File, - for stdout, or off' })
    .option('error-log', { ...text('error-log'), default: 'stderr', describe: 'File or stderr' })
    .option('print-config', { type: 'boolean', default: false, describe: 'Print it as nginx text and exit' });
  return declared as unknown as Argv<ServeFlags>;
}

/** A flag that may be given again. yargs' own arrays would take a flag without a value for one that was not given. */
const LIST = { type: 'string', requiresArg: true, coerce: (value: string | string[]) => [value].flat() } as const;

/** A flag with one value: how yargs is to take it. */
interface OneValue<Kind extends 'string' | 'number', Value> {
  readonly type: Kind;
  readonly requiresArg: true;
  readonly coerce: (value: unknown) => Value;
}

function text<Value = string>(
  flag: string,
  read: (value: string) => Value = (value) => value as Value,
): OneValue<'string', Value> {
  return {
    type: 'string',
    requiresArg: true,
    coerce: (value) => {
      const given = String(once(flag, value));
      if (given === '') throw new UsageError(`--${flag} must not be empty`);
      return read(given);
    },
  };
}

function count(flag: string): OneValue<'number', number> {
  return {
    type: 'number',
    requiresArg: true,
    coerce: (value) => {
      const given = Number(once(flag, value));
      if (!Number.isSafeInteger(given) || given < 0) {
        throw new UsageError(`--${flag} must be a whole number, 0 or more`);
      }
      return given;
    },
  };
}

function time(flag: string): OneValue<'string', string> {
  return text(flag, (value) => {
    if (parseTimeMs(value) === null) {
      throw new UsageError(`--${flag} ${value}: not a time; write 500ms, 10s, 1m30s or 1h`);
    }
    return value;
  });
}

/** yargs makes a list of what is given again. */
function once(flag: string, value: unknown): unknown {
  if (Array.isArray(value)) throw new UsageError(`--${flag} may be given once only`);
  return value;
}

function conditions(value: string): string[] {
  const words = value.split(',').filter((word) => word !== '');
  for (const word of words) {
    if (!(NEXT_UPSTREAM as readonly string[]).includes(word)) {
      throw new UsageError(`--next-upstream ${word}: unknown condition; allowed are ${NEXT_UPSTREAM.join(', ')}`);
    }
  }
  return words;
}

function workers(value: string): string {
  if (value !== 'auto' && !/^[1-9][0-9]{0,3}$/.test(value)) {
    throw new UsageError(`--workers ${value}: must be a number from 1, or auto`);
  }
  return value;
}
