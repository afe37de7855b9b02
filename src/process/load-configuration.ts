import { type Diagnostic, hasEmerg } from '../config/diagnostic.ts';
import { nowMs } from '../core/clock.ts';
import { Deadlines } from '../core/deadlines.ts';
import { coreModule } from '../modules/core/core-module.ts';
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

export interface LoadedConfiguration {
  /** Null when a finding refuses it. */
  readonly configuration: Configuration | null;
  readonly findings: readonly Diagnostic[];
  /** Of the findings, those of opening log files, which nginx does when the syntax is found to be right. */
  readonly openFindings: readonly Diagnostic[];
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
  if (hasEmerg(diagnostics)) return { configuration: null, findings: diagnostics, openFindings: [] };
  const counters = new Counters();
  const { names, findings: unresolved } = await resolveNames(namesInConfig(snapshot.tree));
  const { compiled, diagnostics: found } = compileConfig(main, snapshot, {
    log,
    logFiles,
    defaultErrorLog,
    names,
    zones: null,
    counters,
    stats: new ClusterStatsClient(counters, () => undefined, nowMs),
    connections: new PeerConnections(new Deadlines(nowMs), false),
    previousUpstreams: null,
  });
  const isOfOpening = ({ pos, text }: Diagnostic): boolean => pos === null && text.startsWith('open() ');
  const findings = [...diagnostics, ...unresolved, ...found.filter((finding) => !isOfOpening(finding))];
  const openFindings = found.filter(isOfOpening);
  if (compiled === null) return { configuration: null, findings, openFindings };
  const configuration = {
    core: main.conf(coreModule),
    listens: compiled.runtime.listeners.map((listener) => listener.address),
    forWorkers: { snapshot, names, defaultErrorLog },
  };
  return { configuration, findings, openFindings };
}
