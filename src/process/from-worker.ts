import { isUpstreamReports } from '../modules/status/upstream-report.ts';
import { COUNTER_COUNT } from '../observe/counters.ts';
import { ZONE_EVENTS } from '../upstream/zone-message.ts';
import type { FromWorker } from './messages.ts';

/** More than any configuration has; a bound for what one message may make the primary keep. */
const MAX_ITEMS = 65_536;
const MAX_TEXT_CHARS = 65_536;

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

/**
 * Whether it is a message of a worker, whole and of the right shape. A worker talks to clients all day and has fewer rights than the primary:
 * one that was taken over must not be able to end it.
 */
export function isFromWorker(message: unknown): message is FromWorker {
  if (!isFields(message) || typeof message['type'] !== 'string') return false;
  return SHAPES.get(message['type'])?.(message) === true;
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isFlag: Check = (value) => typeof value === 'boolean';
const isText: Check = (value) => typeof value === 'string' && value.length <= MAX_TEXT_CHARS;
const isCounters: Check = (value) => Array.isArray(value) && value.length === COUNTER_COUNT && value.every(isNumber);

function listOf(isItem: Check): Check {
  return (value) => Array.isArray(value) && value.length <= MAX_ITEMS && value.every(isItem);
}

function shape(fields: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(fields);
  return (value) => isFields(value) && checks.every(([name, isRight]) => isRight(value[name]));
}

const isStats = shape({
  pid: isNumber,
  counters: isCounters,
  upstreams: (value) => value === null || isUpstreamReports(value),
});
const isZoneOpen = shape({
  kind: (kind) => kind === 'zone-open',
  peers: listOf(
    shape({ id: isText, weight: isNumber, maxFails: isNumber, failTimeoutMs: isNumber, maxConns: isNumber }),
  ),
});
const isZoneReport = shape({
  kind: (kind) => kind === 'zone-report',
  counts: listOf(shape({ id: isText, active: isNumber, picks: isNumber })),
  events: listOf(
    shape({ id: isText, what: (what) => (ZONE_EVENTS as readonly unknown[]).includes(what), atMs: isNumber }),
  ),
  slots: listOf(shape({ id: isText, wants: isNumber, returned: isNumber, isAnswer: isFlag })),
});

const isZonePanic = shape({ kind: (kind) => kind === 'zone-panic', upstream: isText, isOn: isFlag, text: isText });

const ZONED_KEY = { zone: isText, key: isText };
const isLimitOperation: Check = (value) =>
  shape({
    what: (what) => what === 'request',
    id: isNumber,
    atMs: isNumber,
    limits: listOf(shape({ ...ZONED_KEY, burst: isNumber, delay: isNumber })),
  })(value) ||
  shape({
    what: (what) => what === 'connection',
    id: isNumber,
    limits: listOf(shape({ ...ZONED_KEY, most: isNumber })),
  })(value) ||
  shape({ what: (what) => what === 'release', limits: listOf(shape(ZONED_KEY)) })(value);
const isLimitState = (numbers: number): Check => {
  const isRest = listOf(isNumber);
  return (value) => Array.isArray(value) && isText(value[0]) && value.length === numbers + 1 && isRest(value.slice(1));
};
const isLimitOperations = shape({
  kind: (kind) => kind === 'limit-operations',
  operations: listOf(isLimitOperation),
});
const isLimitHandover = shape({
  kind: (kind) => kind === 'limit-handover',
  zones: listOf(shape({ zone: isText, requests: listOf(isLimitState(2)), connections: listOf(isLimitState(1)) })),
});

const isSessionMessage: Check = (value) =>
  shape({ kind: (kind) => kind === 'session-found?', zone: isText, query: isNumber, id: isText })(value) ||
  shape({ kind: (kind) => kind === 'session-made', zone: isText, id: isText, session: isText, lifeMs: isNumber })(
    value,
  );

const SHAPES = new Map<string, Check>(
  Object.entries({
    up: shape({}),
    prepared: shape({ generation: isNumber }),
    refused: shape({ generation: isNumber, findings: listOf(isText) }),
    swapped: shape({ generation: isNumber }),
    'socket-wanted': shape({ key: isText }),
    'connection-numbers-wanted': shape({}),
    'swap-failed': shape({ generation: isNumber, text: isText }),
    'stats-request': shape({ query: isNumber, isFull: isFlag }),
    'stats-answer': shape({ query: isNumber, stats: isStats }),
    counters: shape({ counters: isCounters }),
    zone: shape({ payload: (value) => isZoneOpen(value) || isZoneReport(value) || isZonePanic(value) }),
    limit: shape({ payload: (value) => isLimitOperations(value) || isLimitHandover(value) }),
    session: shape({ payload: isSessionMessage }),
  } satisfies Record<FromWorker['type'], Check>),
);
