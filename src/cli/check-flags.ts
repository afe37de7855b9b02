import type { Argv } from 'yargs';
import { parseOffsetBytes, parseTimeMs } from '../config/parse-value.ts';
import { parseStatusSet, type StatusSet } from '../probe/status-set.ts';
import { UsageError } from './usage-error.ts';

/** Where flags and their variables come from: a variable that is not set is undefined. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** What is to be looked at and what is asked of it. Common to `check` and `probe`. */
export interface CheckFlags {
  readonly balancer: readonly string[];
  readonly api: readonly string[];
  readonly backend: readonly string[];
  readonly postgres: readonly string[];
  readonly postgresPrimary: readonly string[];
  readonly postgresReplica: readonly string[];
  readonly redis: readonly string[];
  readonly redisMaster: readonly string[];
  readonly redisReplica: readonly string[];
  readonly sentinel: readonly string[];
  readonly masterName: string;
  readonly conf: string | null;
  readonly status: StatusSet;
  readonly body: string | null;
  readonly apiStatus: StatusSet;
  readonly apiBody: string | null;
  readonly backendUri: string;
  readonly backendStatus: StatusSet;
  readonly backendBody: string | null;
  /** A file of roots in PEM. */
  readonly ca: string | null;
  readonly isInsecure: boolean;
  readonly certDays: number;
  readonly maxLagBytes: number | null;
  readonly maxLagMs: number | null;
  readonly maxSlotWalBytes: number | null;
  /** Replicas that a primary or master must have. */
  readonly minReplicas: number;
  readonly timeoutMs: number;
}

const TARGETS = 'What to look at';
const DEMANDS = 'What is asked of it';

interface FlagRow {
  readonly name: string;
  readonly kind: 'list' | 'one' | 'switch';
  readonly group: string;
  readonly default?: string;
  readonly describe: string;
}

/** Every flag but those of one command alone. Each has a variable: `--max-lag` is `EVENKEEL_MAX_LAG`. */
const ROWS: readonly FlagRow[] = [
  { name: 'balancer', kind: 'list', group: TARGETS, describe: 'URL of the load balancer itself: https://shop/health' },
  { name: 'api', kind: 'list', group: TARGETS, describe: 'URL that backends answer through the balancer' },
  { name: 'backend', kind: 'list', group: TARGETS, describe: 'HOST:PORT or URL; each address of a name by itself' },
  { name: 'postgres', kind: 'list', group: TARGETS, describe: 'HOST[:PORT]; one of these must be the primary' },
  { name: 'postgres-primary', kind: 'list', group: TARGETS, describe: 'HOST[:PORT] that must be the primary' },
  { name: 'postgres-replica', kind: 'list', group: TARGETS, describe: 'HOST[:PORT] that must be a streaming replica' },
  { name: 'redis', kind: 'list', group: TARGETS, describe: 'HOST[:PORT]; one of these must be the master' },
  { name: 'redis-master', kind: 'list', group: TARGETS, describe: 'HOST[:PORT] that must be the master' },
  { name: 'redis-replica', kind: 'list', group: TARGETS, describe: 'HOST[:PORT] that must be a linked replica' },
  { name: 'sentinel', kind: 'list', group: TARGETS, describe: 'HOST[:PORT]; all must agree and reach a quorum' },
  { name: 'conf', kind: 'one', group: TARGETS, describe: 'nginx.conf: its listening ports and upstream servers' },
  {
    name: 'master-name',
    kind: 'one',
    group: DEMANDS,
    default: 'mymaster',
    describe: "The Sentinels' name of the master",
  },
  {
    name: 'status',
    kind: 'one',
    group: DEMANDS,
    default: '200-299',
    describe: 'Status of --balancer: 200, 200-399, 200,204',
  },
  { name: 'body', kind: 'one', group: DEMANDS, describe: 'Text that the body of --balancer has' },
  { name: 'api-status', kind: 'one', group: DEMANDS, default: '200-299', describe: 'Status of --api' },
  { name: 'api-body', kind: 'one', group: DEMANDS, describe: 'Text that the body of --api has' },
  {
    name: 'backend-uri',
    kind: 'one',
    group: DEMANDS,
    default: '/',
    describe: 'What a backend given as HOST:PORT is asked for',
  },
  { name: 'backend-status', kind: 'one', group: DEMANDS, default: '200-399', describe: 'Status of --backend' },
  { name: 'backend-body', kind: 'one', group: DEMANDS, describe: 'Text that the body of --backend has' },
  { name: 'ca', kind: 'one', group: DEMANDS, describe: 'File of certificates to trust, in PEM' },
  {
    name: 'insecure',
    kind: 'switch',
    group: DEMANDS,
    describe: 'Take certificates of anybody for anybody; they must still be in force',
  },
  {
    name: 'cert-days',
    kind: 'one',
    group: DEMANDS,
    default: '14',
    describe: 'Days that a certificate must still be good for',
  },
  {
    name: 'max-lag',
    kind: 'one',
    group: DEMANDS,
    default: '16m',
    describe: 'Longest lag of a replica in bytes, or off',
  },
  {
    name: 'max-lag-time',
    kind: 'one',
    group: DEMANDS,
    default: '30s',
    describe: 'Longest lag of a replica in time, or off',
  },
  {
    name: 'max-slot-wal',
    kind: 'one',
    group: DEMANDS,
    default: '1g',
    describe: 'Most WAL that a replication slot may keep, or off',
  },
  {
    name: 'min-replicas',
    kind: 'one',
    group: DEMANDS,
    default: '0',
    describe: 'Replicas that a primary or master must be streaming to',
  },
  {
    name: 'timeout',
    kind: 'one',
    group: DEMANDS,
    default: '5s',
    describe: 'For each check by itself; they run at once',
  },
];

/** Declares the common flags. Defaults are not yargs' business: a variable may stand for a flag. */
export function declareCheckFlags(command: Argv): Argv {
  let declared = command;
  for (const { name, kind, group, describe, default: standard } of ROWS) {
    declared = declared.option(name, {
      group: `${group}:`,
      describe,
      ...(kind === 'switch' ? { type: 'boolean' as const } : { type: 'string' as const, requiresArg: true }),
      ...(standard === undefined ? {} : { defaultDescription: standard }),
    });
  }
  return declared.option('env-file', {
    group: `${TARGETS}:`,
    type: 'string',
    requiresArg: true,
    describe: 'File of variables, as .env.production; those of the environment come first',
  });
}

/** What was given, by flag or by variable, checked. Throws UsageError that names the flag or the variable. */
export function readCheckFlags(argv: Readonly<Record<string, unknown>>, variables: Variables): CheckFlags {
  const given = new Given(argv, variables);
  return {
    balancer: given.list('balancer'),
    api: given.list('api'),
    backend: given.list('backend'),
    postgres: given.list('postgres'),
    postgresPrimary: given.list('postgres-primary'),
    postgresReplica: given.list('postgres-replica'),
    redis: given.list('redis'),
    redisMaster: given.list('redis-master'),
    redisReplica: given.list('redis-replica'),
    sentinel: given.list('sentinel'),
    masterName: given.text('master-name') ?? 'mymaster',
    conf: given.text('conf'),
    status: given.read('status', parseStatusSet, 'write 200, 200-399 or 200,204'),
    body: given.text('body'),
    apiStatus: given.read('api-status', parseStatusSet, 'write 200, 200-399 or 200,204'),
    apiBody: given.text('api-body'),
    backendUri: given.read('backend-uri', (text) => (text.startsWith('/') ? text : null), 'it begins with /'),
    backendStatus: given.read('backend-status', parseStatusSet, 'write 200, 200-399 or 200,204'),
    backendBody: given.text('backend-body'),
    ca: given.text('ca'),
    isInsecure: given.isOn('insecure'),
    certDays: given.read('cert-days', parseCount, 'a number of days, 0 or more'),
    maxLagBytes: given.limit('max-lag', parseOffsetBytes, 'a size: 512k, 16m, 1g, or off'),
    maxLagMs: given.limit('max-lag-time', parseTimeMs, 'a time: 500ms, 10s, 5m, or off'),
    maxSlotWalBytes: given.limit('max-slot-wal', parseOffsetBytes, 'a size: 512k, 16m, 1g, or off'),
    minReplicas: given.read('min-replicas', parseCount, 'a number, 0 or more'),
    timeoutMs: given.read('timeout', parseSpan, 'a time from 1ms: 500ms, 10s'),
  };
}

/** A time above zero. Null when it is none. */
export function parseSpan(text: string): number | null {
  const ms = parseTimeMs(text);
  return ms === null || ms < 1 || ms > 86_400_000 ? null : ms;
}

/** One value of a flag that was given at most once. */
export function once(name: string, value: unknown): string | undefined {
  if (Array.isArray(value)) throw new UsageError(`--${name} may be given once only`);
  return value === undefined ? undefined : String(value);
}

function parseCount(text: string): number | null {
  return /^[0-9]{1,5}$/.test(text) ? Number(text) : null;
}

class Given {
  readonly #argv: Readonly<Record<string, unknown>>;
  readonly #variables: Variables;

  constructor(argv: Readonly<Record<string, unknown>>, variables: Variables) {
    this.#argv = argv;
    this.#variables = variables;
  }

  /** A flag as often as it was given; else its variable, split at blanks and commas. */
  list(name: string): string[] {
    const value = this.#argv[name];
    if (value === undefined)
      return (this.#variables[variableOf(name)] ?? '').split(/[\s,]+/).filter((word) => word !== '');
    const words = [value].flat().map(String);
    if (words.includes('')) throw new UsageError(`--${name} must not be empty`);
    return words;
  }

  /** Null: not given, and there is no default. */
  text(name: string): string | null {
    const { value } = this.#find(name);
    return value === undefined || value === '' ? null : value;
  }

  isOn(name: string): boolean {
    const value = this.#argv[name];
    if (value !== undefined) return value === true;
    const word = this.#variables[variableOf(name)] ?? '';
    if (['', '0', 'false', 'no', 'off'].includes(word)) return false;
    if (['1', 'true', 'yes', 'on'].includes(word)) return true;
    throw new UsageError(`${variableOf(name)}=${word}: write 1 or 0`);
  }

  read<Value>(name: string, parse: (text: string) => Value | null, allowed: string): Value {
    const { value, from } = this.#find(name);
    const text = value === undefined || value === '' ? (rowOf(name).default ?? '') : value;
    const parsed = parse(text);
    if (parsed === null) throw new UsageError(`${from} ${text}: ${allowed}`);
    return parsed;
  }

  /** Null is `off`. */
  limit(name: string, parse: (text: string) => number | null, allowed: string): number | null {
    return this.read(name, (text) => (text === 'off' ? { of: null } : wrapped(parse(text))), allowed).of;
  }

  #find(name: string): { readonly value: string | undefined; readonly from: string } {
    const value = once(name, this.#argv[name]);
    if (value === '') throw new UsageError(`--${name} must not be empty`);
    if (value !== undefined) return { value, from: `--${name}` };
    const variable = variableOf(name);
    return { value: this.#variables[variable], from: variable };
  }
}

function wrapped(of: number | null): { readonly of: number } | null {
  return of === null ? null : { of };
}

function variableOf(name: string): string {
  return `EVENKEEL_${name.toUpperCase().replaceAll('-', '_')}`;
}

function rowOf(name: string): FlagRow {
  const row = ROWS.find((candidate) => candidate.name === name);
  if (row === undefined) throw new Error(`no such flag: ${name}`);
  return row;
}
