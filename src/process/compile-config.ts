import { ConfigError, type Diagnostic } from '../config/diagnostic.ts';
import type { Scope } from '../config/scope.ts';
import type { ConfigSnapshot } from '../config/tree.ts';
import { Services } from '../http/http-module.ts';
import { CLUSTER_STATS, COUNTERS, DEFAULT_ERROR_LOG, LOG_FILES, MAIN_LOG } from '../http/observe-services.ts';
import { coreModule } from '../modules/core/core-module.ts';
import { openErrorLog } from '../modules/core/open-error-log.ts';
import { LIMITS, LimitPlan } from '../modules/limit-zone/limit-plan.ts';
import type { LimitPort } from '../modules/limit-zone/limit-port.ts';
import { STAPLES, StaplePlan, type Staples } from '../net/ocsp/staple-plan.ts';
import { TLS_FILES, type TlsFiles } from '../net/tls-files.ts';
import { SessionPlan, TLS_SESSIONS } from '../net/tls-sessions/session-plan.ts';
import type { SessionPort } from '../net/tls-sessions/session-port.ts';
import type { ClusterStatsClient } from '../observe/cluster-stats.ts';
import type { Counters } from '../observe/counters.ts';
import type { ErrorLog, Log } from '../observe/error-log.ts';
import type { LogFiles } from '../observe/log-files.ts';
import { HEALTH_PLAN, HealthPlan } from '../probe/health-plan.ts';
import { compileRuntime } from '../runtime/compile.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { CONNECTIONS, type PeerConnections } from '../upstream/acquire.ts';
import type { ResolvedNames } from '../upstream/resolved-names.ts';
import type { ZoneLink } from '../upstream/upstream-group.ts';
import { UPSTREAMS, UpstreamRegistry } from '../upstream/upstream-registry.ts';

/** What lives longer than one configuration, and what this one comes with. */
export interface CompileParts {
  readonly log: Log;
  readonly logFiles: LogFiles;
  readonly defaultErrorLog: string;
  readonly counters: Counters;
  readonly stats: ClusterStatsClient;
  readonly connections: PeerConnections;
  readonly names: ResolvedNames;
  readonly tls: TlsFiles;
  /** Null where nothing is served (the check in the primary). */
  readonly zones: ZoneLink | null;
  readonly limits: LimitPort;
  readonly sessions: SessionPort;
  readonly staples: Staples;
  /** Null at start. */
  readonly previousUpstreams: UpstreamRegistry | null;
}

/** A configuration that can serve. */
export interface CompiledConfig {
  readonly runtime: Runtime;
  readonly upstreams: UpstreamRegistry;
  readonly limits: LimitPlan;
  readonly sessions: SessionPlan;
  readonly staples: StaplePlan;
  readonly healthPlan: HealthPlan;
  /** That of the main scope. */
  readonly errorLog: ErrorLog;
}

export interface CompileOutcome {
  /** Null with an emerg finding. */
  readonly compiled: CompiledConfig | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Scopes -> what serves; opens the log files, changes nothing else. The primary compiles too: that is its check. */
export function compileConfig(main: Scope, snapshot: ConfigSnapshot, parts: CompileParts): CompileOutcome {
  const upstreams = new UpstreamRegistry({
    previous: parts.previousUpstreams,
    names: parts.names,
    zones: parts.zones,
    onPanic: (isOn, text) => parts.log.write(isOn ? 'warn' : 'notice', text),
  });
  const limits = new LimitPlan(parts.limits);
  const sessions = new SessionPlan(parts.sessions);
  const staples = new StaplePlan(parts.staples);
  const healthPlan = new HealthPlan();
  const services = new Services()
    .provide(LOG_FILES, parts.logFiles)
    .provide(MAIN_LOG, parts.log)
    .provide(DEFAULT_ERROR_LOG, { path: parts.defaultErrorLog })
    .provide(COUNTERS, parts.counters)
    .provide(CLUSTER_STATS, parts.stats)
    .provide(TLS_FILES, parts.tls)
    .provide(TLS_SESSIONS, sessions)
    .provide(STAPLES, staples)
    .provide(UPSTREAMS, upstreams)
    .provide(LIMITS, limits)
    .provide(HEALTH_PLAN, healthPlan)
    .provide(CONNECTIONS, parts.connections);
  try {
    const errorLog = openErrorLog(main.conf(coreModule).errorLogs, parts.logFiles, parts.defaultErrorLog);
    const { runtime, diagnostics } = compileRuntime({ snapshot, main, services });
    if (runtime === null) return { compiled: null, diagnostics };
    return { compiled: { runtime, upstreams, limits, sessions, staples, healthPlan, errorLog }, diagnostics };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { compiled: null, diagnostics: [{ severity: 'emerg', text: error.message, pos: error.pos }] };
  }
}
