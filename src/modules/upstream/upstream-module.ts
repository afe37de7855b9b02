import { HTTP, UPSTREAM } from '../../config/contexts.ts';
import { ConfigError } from '../../config/diagnostic.ts';
import { type DirectiveSpec, type DirectiveUse, directive } from '../../config/directive-spec.ts';
import { parseInteger, parseTimeMs } from '../../config/parse-value.ts';
import type { Scope } from '../../config/scope.ts';
import { integer, orOff, percent, timeMs } from '../../config/values.ts';
import { zoneBytes } from '../../config/zone-table.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { BALANCERS } from '../../policy/balance/balancers.ts';
import { roundRobin } from '../../policy/balance/round-robin.ts';
import type { BalancerDef } from '../../policy/balancer.ts';
import { DEFAULT_KEEPALIVE, type KeepaliveConf } from '../../upstream/peer-conf.ts';
import type { QueueConf, ServerLine, UpstreamConf } from '../../upstream/upstream-conf.ts';
import { UPSTREAMS } from '../../upstream/upstream-registry.ts';
import { parseServerLine } from './server-line.ts';
import { parseZoneLine, type ZoneLine } from './zone-line.ts';

const QUEUE_TIMEOUT_MS = 60_000;

/** What an `upstream` block says. In the http scope all of it has its default. */
export interface UpstreamBlock {
  servers: readonly ServerLine[];
  method: { readonly def: BalancerDef; readonly args: readonly string[] };
  zone: ZoneLine | null;
  keepalive: { readonly maxIdle: number; readonly isLocal: boolean };
  keepaliveRequests: number;
  keepaliveTimeMs: number;
  keepaliveTimeoutMs: number;
  /** `panic_threshold`, `retry_budget`, percent; null: off. */
  panicPercent: number | null;
  queue: QueueConf | null;
  retryPercent: number | null;
}

/** `upstream NAME {}` and everything in it. */
export const upstreamModule: HttpModule<UpstreamBlock> = {
  name: 'upstream',
  defaults: () => ({
    servers: [],
    method: { def: roundRobin, args: [] },
    zone: null,
    keepalive: { maxIdle: DEFAULT_KEEPALIVE.maxIdle, isLocal: DEFAULT_KEEPALIVE.isLocal },
    keepaliveRequests: DEFAULT_KEEPALIVE.maxRequests,
    keepaliveTimeMs: DEFAULT_KEEPALIVE.maxAgeMs,
    keepaliveTimeoutMs: DEFAULT_KEEPALIVE.idleTimeoutMs,
    panicPercent: null,
    queue: null,
    retryPercent: null,
  }),
  rows: [
    directive<UpstreamBlock>({
      name: 'upstream',
      contexts: HTTP,
      args: 1,
      block: UPSTREAM,
      syntax: 'name',
      doc: 'A group of servers that requests are balanced over: in turn, by weight, unless another method is said.',
      apply: (_conf, use) => checkUpstreamName(use),
    }),
    directive<UpstreamBlock>({
      name: 'server',
      contexts: UPSTREAM,
      args: [1, Number.POSITIVE_INFINITY],
      field: 'servers',
      repeat: 'append',
      parse: (use) => parseServerLine(use, methodOf(use.scope)),
      syntax: 'address [weight= max_fails= fail_timeout= max_conns= slow_start= backup down drain]',
      doc: 'One server of the group; a name with several addresses is several servers. Without more: port 80, `weight=1 max_fails=1 fail_timeout=10s max_conns=0 slow_start=0`. `slow_start`: the time in which one that comes back gets to its full weight. `drain`: no new requests.',
    }),
    ...BALANCERS.filter((def) => def !== roundRobin).map(methodRow),
    directive<UpstreamBlock>({
      name: 'zone',
      contexts: UPSTREAM,
      args: [1, 2],
      field: 'zone',
      repeat: 'last',
      parse: parseZoneLine,
      syntax: 'name [size]',
      doc: 'All workers share what is known of the group: failures, requests under way, whose turn it is. Without it each worker has its own view. The size is checked as in nginx and has no effect.',
    }),
    directive<UpstreamBlock>({
      name: 'keepalive',
      contexts: UPSTREAM,
      args: [1, 2],
      field: 'keepalive',
      parse: parseKeepalive,
      syntax: 'connections [local]',
      defaultText: '32 local',
      doc: 'Number of idle connections to the group that each worker keeps; 0: none. `local`: one is used again only by the location that opened it.',
    }),
    directive<UpstreamBlock>({
      name: 'keepalive_requests',
      contexts: UPSTREAM,
      args: 1,
      field: 'keepaliveRequests',
      parse: integer(),
      syntax: 'number',
      defaultText: '1000',
      doc: 'Number of requests after which a connection to a peer is closed.',
    }),
    directive<UpstreamBlock>({
      name: 'keepalive_time',
      contexts: UPSTREAM,
      args: 1,
      field: 'keepaliveTimeMs',
      parse: timeMs(),
      syntax: 'time',
      defaultText: '1h',
      doc: 'Age of a connection to a peer after which it is closed when its request is done.',
    }),
    directive<UpstreamBlock>({
      name: 'keepalive_timeout',
      contexts: UPSTREAM,
      args: 1,
      field: 'keepaliveTimeoutMs',
      parse: timeMs(),
      syntax: 'timeout',
      defaultText: '60s',
      doc: 'How long an idle connection to a peer stays open.',
    }),
    directive<UpstreamBlock>({
      name: 'queue',
      contexts: UPSTREAM,
      args: [1, 2],
      field: 'queue',
      parse: parseQueue,
      syntax: 'number [timeout=60s]',
      doc: 'So many requests for which no peer can be had (all are at their `max_conns`, or out) wait for one instead of failing; each worker has its own. Beyond the number, or when the time is over: 502.',
    }),
    directive<UpstreamBlock>({
      name: 'panic_threshold',
      contexts: UPSTREAM,
      args: 1,
      field: 'panicPercent',
      parse: orOff(percent, null),
      syntax: 'percent% | off',
      defaultText: 'off',
      doc: 'When less than this share of the group is up, all of it is used, whatever checks and failures say: better than to crush what is left, and a request that makes every backend answer 500 cannot take all of them out.',
    }),
    directive<UpstreamBlock>({
      name: 'retry_budget',
      contexts: UPSTREAM,
      args: 1,
      field: 'retryPercent',
      parse: orOff(percent, null),
      syntax: 'percent% | off',
      defaultText: 'off',
      doc: 'At most this share of the requests of the last ten seconds, and three in any case, is tried again at another peer; each worker counts for itself. Retries else multiply the load of a group that is slow, and hand a harmful request to all of it.',
    }),
  ],
  finish: (merged, _own, scope) => {
    if (scope.context === UPSTREAM) checkServers(merged, scope);
    if (scope.context === HTTP) checkZoneSizes(scope);
  },
  compileHttp: (_conf, scope, variables, services) => {
    const registry = services.get(UPSTREAMS);
    for (const block of scope.childrenOf(UPSTREAM)) {
      const conf = upstreamConf(block);
      const key = conf.method.def.needs === 'key' ? (conf.method.args[0] ?? '') : null;
      registry.define(conf, key === null ? null : () => variables.template(key));
    }
  },
  finishHttp: (_conf, _scope, _variables, services) => services.get(UPSTREAMS).compileKeys(),
};

/** The configuration of one `upstream` block's scope, as the registry takes it. */
export function upstreamConf(scope: Scope): UpstreamConf {
  const block = scope.conf(upstreamModule);
  const keepalive: KeepaliveConf = {
    ...block.keepalive,
    maxRequests: block.keepaliveRequests,
    maxAgeMs: block.keepaliveTimeMs,
    idleTimeoutMs: block.keepaliveTimeoutMs,
  };
  return {
    name: scope.args[0] ?? '',
    pos: scope.pos,
    servers: block.servers,
    method: block.method,
    keepalive: keepalive.maxIdle === 0 ? null : keepalive,
    zone: block.zone,
    panicPercent: block.panicPercent,
    queue: block.queue,
    retryPercent: block.retryPercent,
  };
}

function methodRow(def: BalancerDef): DirectiveSpec<UpstreamBlock> {
  return directive<UpstreamBlock>({
    name: def.directive,
    contexts: UPSTREAM,
    args: def.args,
    syntax: def.syntax,
    doc: def.doc,
    apply: (own, use) => {
      if (own.method !== undefined) use.warn('load balancing method redefined');
      const reason = def.checkArgs?.(use.args) ?? null;
      if (reason !== null) use.fail(reason);
      own.method = { def, args: use.args };
    },
  });
}

/** The block's own scope is already among its parent's children: one of that name before it is one too many. */
function checkUpstreamName(use: DirectiveUse): void {
  const name = (use.args[0] ?? '').toLowerCase();
  for (const block of use.scope.childrenOf(UPSTREAM)) {
    if (block !== use.opened && (block.args[0] ?? '').toLowerCase() === name) {
      use.fail(`duplicate upstream "${use.args[0]}"`);
    }
  }
}

function methodOf(scope: Scope): BalancerDef {
  return scope.own(upstreamModule).method?.def ?? roundRobin;
}

function parseKeepalive(use: DirectiveUse): UpstreamBlock['keepalive'] {
  const [number = '', local] = use.args;
  const maxIdle = parseInteger(number) ?? use.fail(`invalid value "${number}" in "keepalive" directive`);
  if (local !== undefined && local !== 'local') use.fail(`invalid parameter "${local}"`);
  return { maxIdle, isLocal: local === 'local' };
}

function parseQueue(use: DirectiveUse): QueueConf {
  const [number = '', timeout] = use.args;
  const max = parseInteger(number) || use.fail(`invalid value "${number}" in "queue" directive`);
  if (timeout === undefined) return { max, timeoutMs: QUEUE_TIMEOUT_MS };
  const timeoutMs = timeout.startsWith('timeout=') ? parseTimeMs(timeout.slice('timeout='.length)) : null;
  return { max, timeoutMs: timeoutMs || use.fail(`invalid parameter "${timeout}"`) };
}

function checkServers(block: UpstreamBlock, scope: Scope): void {
  if (block.servers.length === 0) throw new ConfigError('no servers are inside upstream');
  if (block.servers.every((line) => line.conf.isBackup)) {
    throw new ConfigError(`no servers in upstream "${scope.args[0]}"`, scope.pos);
  }
}

/** A zone may leave its size to another upstream that has the same one. */
function checkZoneSizes(scope: Scope): void {
  const zones = scope.childrenOf(UPSTREAM).flatMap((block) => block.own(upstreamModule).zone ?? []);
  for (const zone of zones) {
    if (zoneBytes(scope, zone.name) === 0) {
      throw new ConfigError(`zero size shared memory zone "${zone.name}"`);
    }
  }
}
