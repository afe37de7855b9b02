import type { Diagnostic } from '../config/diagnostic.ts';
import type { Scope } from '../config/scope.ts';
import type { ConfigSnapshot } from '../config/tree.ts';
import { nowMs } from '../core/clock.ts';
import { Deadlines } from '../core/deadlines.ts';
import { coreModule } from '../modules/core/core-module.ts';
import { LimitPort } from '../modules/limit-zone/limit-port.ts';
import { Staples } from '../net/ocsp/staple-plan.ts';
import type { TlsFiles } from '../net/tls-files.ts';
import { SessionPort } from '../net/tls-sessions/session-port.ts';
import { ClusterStatsClient } from '../observe/cluster-stats.ts';
import { Counters } from '../observe/counters.ts';
import type { Log } from '../observe/error-log.ts';
import type { LogFiles } from '../observe/log-files.ts';
import { PeerConnections } from '../upstream/acquire.ts';
import type { ResolvedNames } from '../upstream/resolved-names.ts';
import { compileConfig } from './compile-config.ts';
import type { Configuration } from './configuration.ts';

export interface CheckParts {
  readonly log: Log;
  /** The files are opened; the caller says `begin` and `commit` or `abandon` around it. */
  readonly logFiles: LogFiles;
  readonly defaultErrorLog: string;
  readonly names: ResolvedNames;
  readonly tls: TlsFiles;
}

export interface CheckedConfiguration {
  /** Null when a finding refuses it. */
  readonly configuration: Configuration | null;
  readonly findings: readonly Diagnostic[];
}

/** What a configuration is compiled with where nothing is served by it. */
export function inertParts() {
  const counters = new Counters();
  return {
    zones: null,
    limits: new LimitPort({ send: () => undefined, schedule: () => undefined, later: () => undefined }),
    sessions: new SessionPort({ send: () => undefined, later: () => undefined }),
    staples: new Staples(),
    counters,
    stats: new ClusterStatsClient(counters, () => undefined, nowMs),
    connections: new PeerConnections(new Deadlines(nowMs), false),
    previousUpstreams: null,
  };
}

/** Compiles a configuration as the workers will, with nothing behind it that serves: what they get of it when it is good. */
export function checkConfiguration(main: Scope, snapshot: ConfigSnapshot, parts: CheckParts): CheckedConfiguration {
  const { names, tls, defaultErrorLog } = parts;
  const { compiled, diagnostics } = compileConfig(main, snapshot, { ...parts, ...inertParts() });
  if (compiled === null) return { configuration: null, findings: diagnostics };
  const configuration: Configuration = {
    core: main.conf(coreModule),
    listens: compiled.runtime.listeners.map((listener) => listener.address),
    limitZones: compiled.limits.zones,
    sessionZones: compiled.sessions.zones,
    watchedTlsFiles: tls.watched,
    stapleJobs: compiled.staples.jobs,
    health: { plan: compiled.healthPlan, upstreams: compiled.upstreams },
    forWorkers: {
      snapshot,
      names,
      defaultErrorLog,
      tlsFiles: tls.contents(),
      ticketKeys: tls.ticketKeys.texts,
      checks: {},
    },
  };
  return { configuration, findings: diagnostics };
}
