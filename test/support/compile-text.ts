import { formatDiagnostic } from '../../src/config/diagnostic.ts';
import { parseText } from '../../src/config/parser.ts';
import { readScopes } from '../../src/config/walk.ts';
import { nowMs } from '../../src/core/clock.ts';
import { Deadlines } from '../../src/core/deadlines.ts';
import { Services } from '../../src/http/http-module.ts';
import type { ServerGroup } from '../../src/http/location.ts';
import { CLUSTER_STATS, COUNTERS, DEFAULT_ERROR_LOG, LOG_FILES, MAIN_LOG } from '../../src/http/observe-services.ts';
import { LIMITS, LimitPlan } from '../../src/modules/limit-zone/limit-plan.ts';
import { LimitPort } from '../../src/modules/limit-zone/limit-port.ts';
import { STAPLES, StaplePlan, Staples } from '../../src/net/ocsp/staple-plan.ts';
import { TLS_FILES, TlsFiles } from '../../src/net/tls-files.ts';
import { SessionPlan, TLS_SESSIONS } from '../../src/net/tls-sessions/session-plan.ts';
import { SessionPort } from '../../src/net/tls-sessions/session-port.ts';
import { TicketKeyRing } from '../../src/net/tls-sessions/ticket-key-ring.ts';
import { ClusterStatsClient } from '../../src/observe/cluster-stats.ts';
import { Counters } from '../../src/observe/counters.ts';
import type { LogFile } from '../../src/observe/log-file.ts';
import type { LogFiles } from '../../src/observe/log-files.ts';
import { type SyslogSettings, syslogAddressText } from '../../src/observe/syslog/syslog-settings.ts';
import { HEALTH_PLAN, HealthPlan } from '../../src/probe/health-plan.ts';
import { compileRuntime } from '../../src/runtime/compile.ts';
import { MODULES } from '../../src/runtime/module-list.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { CONNECTIONS, PeerConnections } from '../../src/upstream/acquire.ts';
import { UPSTREAMS, UpstreamRegistry } from '../../src/upstream/upstream-registry.ts';

export interface CompiledText {
  /** Null when there is an emerg finding. */
  readonly runtime: Runtime | null;
  /** `severity: text in test.conf:line`. */
  readonly findings: readonly string[];
  /** Every line that was written to any log, by file name. */
  readonly logLines: ReadonlyMap<string, string[]>;
}

/** Compiles the text of an http block, without files and sockets. `connections`: fakes, for tests that proxy. */
export function compileText(http: string, connections?: Pick<PeerConnections, 'acquire'>): CompiledText {
  const text = `events {}\nhttp {\n${http}\n}\n`;
  const parsed = parseText({ text, file: 'test.conf' });
  if (parsed.finding !== null) throw new Error(formatDiagnostic(parsed.finding));
  const read = readScopes(parsed.directives, MODULES);
  const logLines = new Map<string, string[]>();
  const said = read.diagnostics.map((finding) => `${finding.severity}: ${formatDiagnostic(finding)}`);
  if (read.diagnostics.some(({ severity }) => severity === 'emerg')) return { runtime: null, findings: said, logLines };

  const counters = new Counters();
  const limits = new LimitPlan(
    new LimitPort({ send: () => undefined, schedule: () => undefined, later: () => undefined }),
  );
  const services = new Services()
    .provide(LOG_FILES, fakeLogFiles(logLines))
    .provide(DEFAULT_ERROR_LOG, { path: 'error.log' })
    .provide(MAIN_LOG, {
      isEnabled: () => true,
      write: (level, text) => void logLines.set('main', [...(logLines.get('main') ?? []), `[${level}] ${text}`]),
    })
    .provide(TLS_FILES, new TlsFiles(new TicketKeyRing(), null, '/nowhere/'))
    .provide(STAPLES, new StaplePlan(new Staples()))
    .provide(TLS_SESSIONS, new SessionPlan(new SessionPort({ send: () => undefined, later: () => undefined })))
    .provide(LIMITS, limits)
    .provide(HEALTH_PLAN, new HealthPlan())
    .provide(COUNTERS, counters)
    .provide(CLUSTER_STATS, new ClusterStatsClient(counters, () => undefined, nowMs))
    .provide(CONNECTIONS, (connections ?? new PeerConnections(new Deadlines(nowMs), false)) as PeerConnections)
    .provide(UPSTREAMS, new UpstreamRegistry({ previous: null, names: {} }));
  const snapshot = { file: 'test.conf', prefix: '/nowhere/', tree: parsed.directives, files: [] };
  const { runtime, diagnostics } = compileRuntime({ snapshot, main: read.main, services });
  limits.activate(true);
  const compiled = diagnostics.map((finding) => `${finding.severity}: ${formatDiagnostic(finding)}`);
  return { runtime, findings: [...said, ...compiled], logLines };
}

/** The servers of the first listening address of an http block that has no findings. */
export function compileGroup(http: string): ServerGroup {
  const { runtime, findings } = compileText(http);
  const group = runtime?.listeners[0]?.group;
  if (group === undefined || findings.length > 0) throw new Error(findings.join('\n'));
  return group;
}

function fakeLogFiles(lines: Map<string, string[]>): LogFiles {
  const open = (path: string): Pick<LogFile, 'write' | 'flush'> => ({
    write: (line) => {
      lines.set(path, [...(lines.get(path) ?? []), String(line)]);
    },
    flush: () => undefined,
  });
  const syslog = { open: (settings: SyslogSettings) => open(`syslog:${syslogAddressText(settings.address)}`) };
  return { open, syslog } as unknown as LogFiles;
}
