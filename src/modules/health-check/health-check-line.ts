import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseInteger, parseSizeBytes, parseTimeMs } from '../../config/parse-value.ts';
import type { SourcePos } from '../../config/tree.ts';

export const CHECK_TYPES = ['http', 'tcp', 'postgres', 'redis'] as const;
export type CheckType = (typeof CHECK_TYPES)[number];

/** One `health_check`, as said. */
export interface HealthCheckLine {
  /** Default 5000. */
  readonly intervalMs: number;
  /** Default 0. */
  readonly jitterMs: number;
  /** Default 1. */
  readonly fails: number;
  /** Default 1. */
  readonly passes: number;
  /** Default `/`. */
  readonly uri: string;
  /** Null: the peer's own. */
  readonly port: number | null;
  /** Name of a `match`; '' = none. */
  readonly match: string;
  readonly isMandatory: boolean;
  /** States are kept over reloads with it and without. */
  readonly isPersistent: boolean;
  readonly type: CheckType;
  /** 0 = a new connection for each look. */
  readonly keepaliveMs: number;
  /** Of postgres and redis. Role '' = any; limits null = none. */
  readonly user: string;
  readonly database: string;
  readonly passwordFile: string;
  readonly role: string;
  readonly maxLagMs: number | null;
  readonly maxLagBytes: number | null;
  /** As written, for telling checks from one another. */
  readonly text: string;
  readonly pos: SourcePos;
}

type Draft = { -readonly [K in keyof HealthCheckLine]: HealthCheckLine[K] };

const ROLES: Readonly<Record<string, readonly string[]>> = {
  postgres: ['primary', 'replica'],
  redis: ['master', 'replica'],
};
/** Parameters that only mean something to some types. */
const ONLY_FOR: Readonly<Record<string, readonly CheckType[]>> = {
  'uri=': ['http'],
  'match=': ['http', 'tcp'],
  'keepalive_time=': ['http'],
  'user=': ['postgres', 'redis'],
  'dbname=': ['postgres'],
  'password_file=': ['postgres', 'redis'],
  'role=': ['postgres', 'redis'],
  'max_lag=': ['postgres', 'redis'],
  'max_lag_bytes=': ['postgres', 'redis'],
};

/** Words and ranges are nginx Plus's where it has the parameter. */
export function parseHealthCheck(use: DirectiveUse): HealthCheckLine {
  const draft: Draft = {
    intervalMs: 5000,
    jitterMs: 0,
    fails: 1,
    passes: 1,
    uri: '/',
    port: null,
    match: '',
    isMandatory: false,
    isPersistent: false,
    type: 'http',
    keepaliveMs: 0,
    user: '',
    database: '',
    passwordFile: '',
    role: '',
    maxLagMs: null,
    maxLagBytes: null,
    text: use.args.join(' '),
    pos: use.pos,
  };
  const said = use.args.map((parameter) => readParameter(draft, parameter, use));
  if (draft.isPersistent && !draft.isMandatory) use.fail('"persistent" requires "mandatory"');
  for (const name of said) {
    const types = ONLY_FOR[name];
    if (types !== undefined && !types.includes(draft.type)) {
      use.fail(`parameter "${name}" is not for health checks of type "${draft.type}"`);
    }
  }
  if (draft.role !== '' && ROLES[draft.type]?.includes(draft.role) !== true) {
    use.fail(`invalid parameter "role=${draft.role}"`);
  }
  return Object.freeze(draft);
}

/** Returns the parameter's name. */
function readParameter(draft: Draft, parameter: string, use: DirectiveUse): string {
  const equals = parameter.indexOf('=');
  const name = equals < 0 ? parameter : parameter.slice(0, equals + 1);
  const value = equals < 0 ? '' : parameter.slice(equals + 1);
  const invalid = (): never => use.fail(`invalid parameter "${parameter}"`);
  const text = (): string => (value === '' ? invalid() : value);
  switch (name) {
    case 'interval=':
      draft.intervalMs = parseTimeMs(value) || invalid();
      break;
    case 'jitter=':
      draft.jitterMs = parseTimeMs(value) ?? invalid();
      break;
    case 'fails=':
      draft.fails = parseInteger(value) || invalid();
      break;
    case 'passes=':
      draft.passes = parseInteger(value) || invalid();
      break;
    case 'uri=':
      draft.uri = value.startsWith('/') && !/[\s$]/.test(value) ? value : invalid();
      break;
    case 'port=': {
      const port = parseInteger(value) ?? 0;
      draft.port = port >= 1 && port <= 65_535 ? port : invalid();
      break;
    }
    case 'match=':
      draft.match = text();
      break;
    case 'mandatory':
      draft.isMandatory = true;
      break;
    case 'persistent':
      draft.isPersistent = true;
      break;
    case 'type=':
      draft.type = typeOf(value, use) ?? invalid();
      break;
    case 'keepalive_time=':
      draft.keepaliveMs = parseTimeMs(value) ?? invalid();
      break;
    case 'user=':
      draft.user = text();
      break;
    case 'dbname=':
      draft.database = text();
      break;
    case 'password_file=':
      draft.passwordFile = text();
      break;
    case 'role=':
      draft.role = text();
      break;
    case 'max_lag=':
      draft.maxLagMs = parseTimeMs(value) ?? invalid();
      break;
    case 'max_lag_bytes=':
      draft.maxLagBytes = parseSizeBytes(value) ?? invalid();
      break;
    default:
      invalid();
  }
  return name;
}

function typeOf(value: string, use: DirectiveUse): CheckType | undefined {
  if (value === 'grpc') use.fail('health checks of type "grpc" are not supported');
  return CHECK_TYPES.find((type) => type === value);
}
