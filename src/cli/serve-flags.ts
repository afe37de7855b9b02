import type { Argv } from 'yargs';
import { parseTimeMs } from '../config/parse-value.ts';

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

/** Declares the flags of `serve`; what yargs can't check is checked in `coerce`. */
export function serveFlags(command: Argv): Argv<ServeFlags> {
  const declared = command
    .option('listen', { type: 'string', array: true, default: ['8080'], describe: 'Address or port; may be repeated' })
    .option('backend', {
      type: 'string',
      array: true,
      demandOption: 'Name at least one backend: --backend HOST:PORT',
      describe: 'HOST:PORT or unix:PATH; may be repeated; words of nginx may follow: "10.0.0.1:80 weight=2 backup"',
    })
    .option('algorithm', { choices: ALGORITHMS, default: 'round_robin' as Algorithm, describe: 'How to choose' })
    .option('hash-key', { type: 'string', default: '$request_uri', describe: 'What --algorithm hash looks at' })
    .option('max-fails', { ...count('max-fails'), default: 3, describe: 'Failures that put a backend out; 0: never' })
    .option('fail-timeout', {
      ...time('fail-timeout'),
      default: '30s',
      describe: 'How long they count, and it stays out',
    })
    .option('next-upstream', {
      type: 'string',
      default: 'error,timeout,http_502,http_503,http_504',
      coerce: conditions,
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
    .option('workers', { type: 'string', default: 'auto', coerce: workers, describe: 'Processes; auto: one a core' })
    .option('status', { type: 'string', describe: 'Address of the status server, e.g. 127.0.0.1:8081' })
    .option('access-log', { type: 'string', default: 'off', describe: 'File, - for stdout, or off' })
    .option('error-log', { type: 'string', default: 'stderr', describe: 'File or stderr' })
    .option('print-config', { type: 'boolean', default: false, describe: 'Print it as nginx text and exit' });
  return declared as unknown as Argv<ServeFlags>;
}

function count(flag: string): { readonly type: 'number'; readonly coerce: (value: number) => number } {
  return {
    type: 'number',
    coerce: (value) => {
      if (!Number.isSafeInteger(value) || value < 0) {
        throw new Error(`--${flag} must be a whole number, 0 or more`);
      }
      return value;
    },
  };
}

function time(flag: string): { readonly type: 'string'; readonly coerce: (value: string) => string } {
  return {
    type: 'string',
    coerce: (value) => {
      if (parseTimeMs(value) === null) {
        throw new Error(`--${flag} ${value}: not a time; write 500ms, 10s, 1m30s or 1h`);
      }
      return value;
    },
  };
}

function conditions(value: string): string[] {
  const words = value.split(',').filter((word) => word !== '');
  for (const word of words) {
    if (!(NEXT_UPSTREAM as readonly string[]).includes(word)) {
      throw new Error(`--next-upstream ${word}: unknown condition; allowed are ${NEXT_UPSTREAM.join(', ')}`);
    }
  }
  return words;
}

function workers(value: string): string {
  if (value !== 'auto' && !/^[1-9][0-9]{0,3}$/.test(value)) {
    throw new Error(`--workers ${value}: must be a number from 1, or auto`);
  }
  return value;
}
