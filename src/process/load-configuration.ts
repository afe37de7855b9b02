import { randomBytes } from 'node:crypto';
import { EVENTS } from '../config/contexts.ts';
import { type Diagnostic, hasEmerg } from '../config/diagnostic.ts';
import { directoryOf } from '../config/full-name.ts';
import { nowMs } from '../core/clock.ts';
import { Deadlines } from '../core/deadlines.ts';
import { coreModule } from '../modules/core/core-module.ts';
import { LimitPort } from '../modules/limit-zone/limit-port.ts';
import { TlsFiles } from '../net/tls-files.ts';
import { ClusterStatsClient } from '../observe/cluster-stats.ts';
import { Counters } from '../observe/counters.ts';
import type { Log } from '../observe/error-log.ts';
import type { LogFiles } from '../observe/log-files.ts';
import { PeerConnections } from '../upstream/acquire.ts';
import { namesInConfig } from '../upstream/names-in-config.ts';
import { resolveNames } from '../upstream/resolve-names.ts';
import { compileConfig } from './compile-config.ts';
import type { ConfigSource } from './config-source.ts';
import type { Configuration } from './configuration.ts';
import { makeTempDirectories } from './temp-directories.ts';

export interface LoadedConfiguration {
  /** Null when a finding refuses it. */
  readonly configuration: Configuration | null;
  readonly findings: readonly Diagnostic[];
  /** Findings of what nginx looks at once the syntax is found to be right: `events` is there, log files and directories can be had. */
  readonly lateFindings: readonly Diagnostic[];
}

export interface LoadOptions {
  readonly source: ConfigSource;
  readonly log: Log;
  /** The files are opened; the caller says `begin` and `commit` or `abandon` around it. */
  readonly logFiles: LogFiles;
  readonly defaultErrorLog: string;
}

/** Reads a configuration and checks it to the end by compiling it, as the workers will. */
export async function loadConfiguration(options: LoadOptions): Promise<LoadedConfiguration> {
  const { source, log, logFiles, defaultErrorLog } = options;
  const { main, snapshot, diagnostics } = source.read();
  if (hasEmerg(diagnostics)) return { configuration: null, findings: diagnostics, lateFindings: [] };
  const counters = new Counters();
  const tls = new TlsFiles(ticketKey(), null, directoryOf(snapshot.file) || snapshot.prefix);
  const { names, findings: unresolved } = await resolveNames(namesInConfig(snapshot.tree));
  const { compiled, diagnostics: found } = compileConfig(main, snapshot, {
    log,
    logFiles,
    defaultErrorLog,
    names,
    tls,
    zones: null,
    limits: new LimitPort({ send: () => undefined, schedule: () => undefined, later: () => undefined }),
    counters,
    stats: new ClusterStatsClient(counters, () => undefined, nowMs),
    connections: new PeerConnections(new Deadlines(nowMs), false),
    previousUpstreams: null,
  });
  const isLate = ({ pos, text }: Diagnostic): boolean => pos === null && text.startsWith('open() ');
  const findings = [...diagnostics, ...unresolved, ...found.filter((finding) => !isLate(finding))];
  const lateFindings = found.filter(isLate);
  if (main.childrenOf(EVENTS).length === 0) lateFindings.push(emerg('no "events" section in configuration'));
  lateFindings.push(...makeTempDirectories(main, snapshot.prefix));
  if (compiled === null || hasEmerg(lateFindings)) return { configuration: null, findings, lateFindings };
  const configuration = {
    core: main.conf(coreModule),
    listens: compiled.runtime.listeners.map((listener) => listener.address),
    limitZones: compiled.limits.zones,
    health: { plan: compiled.healthPlan, upstreams: compiled.upstreams },
    forWorkers: {
      snapshot,
      names,
      defaultErrorLog,
      tlsFiles: tls.contents(),
      ticketKey: ticketKey().toString('base64'),
      checks: {},
    },
  };
  return { configuration, findings, lateFindings };
}

let madeTicketKey: Buffer | null = null;

/** One for as long as the primary lives: clients resume their sessions over reloads and workers. */
function ticketKey(): Buffer {
  madeTicketKey ??= randomBytes(48);
  return madeTicketKey;
}

function emerg(text: string): Diagnostic {
  return { severity: 'emerg', text, pos: null };
}
