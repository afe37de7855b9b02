import { ConfigError, formatDiagnostic, includeChain } from '../config/diagnostic.ts';
import { changedKey, type LimitZone } from '../modules/limit-zone/limit-zone.ts';
import type { LogFiles } from '../observe/log-files.ts';
import type { Configuration } from './configuration.ts';
import type { LoadedConfiguration } from './load-configuration.ts';
import { handLogsOver } from './log-owner.ts';
import type { MainLog } from './main-log.ts';
import { type PidFile, pidPath } from './pid-file.ts';
import type { SocketSet } from './socket-set.ts';
import { useErrorLog } from './use-error-log.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface ReloadParts {
  readonly log: MainLog;
  readonly logFiles: LogFiles;
  readonly sockets: SocketSet;
  readonly pool: WorkerPool;
  readonly load: () => Promise<LoadedConfiguration>;
  /** The pid file in force. */
  readonly pidFile: PidFile;
  /** Number of the new configuration. */
  readonly generation: number;
  /** Workers are processes of their own. */
  readonly hasMaster: boolean;
  /** The program was told to leave meanwhile. */
  readonly leaving: AbortSignal;
  /** Zones of `limit_req` and `limit_conn` in force. */
  readonly limitZones: readonly LimitZone[];
  /** Adds what is known of the peers' health by now. */
  readonly complete: (next: Configuration) => Configuration;
  /** Every worker is ready: from here on requests of both configurations come. */
  readonly onSwap: (next: Configuration) => void;
}

/**
 * HUP, in two phases over all workers. Resolves the configuration that is in force in all of them now; null: it was refused, why is in the log,
 * and everything is as it was.
 */
export async function reload(parts: ReloadParts): Promise<Configuration | null> {
  const { log, logFiles, sockets, pool, pidFile, generation } = parts;
  log.write('notice', 'reconfiguring');
  // 1. read and check
  logFiles.begin();
  const { configuration: loaded, findings, lateFindings } = await parts.load();
  for (const finding of [...findings, ...lateFindings]) {
    log.write(finding.severity, formatDiagnostic(finding));
    for (const link of includeChain(finding)) log.write(finding.severity, link);
  }
  if (loaded === null) {
    logFiles.abandon();
    return null;
  }
  const configuration = parts.complete(loaded);
  const changed = changedKey(parts.limitZones, configuration.limitZones);
  if (changed !== null) {
    log.write('emerg', changed);
    logFiles.abandon();
    return null;
  }
  handLogsOver(logFiles, configuration.core.user);
  // 2. a new pid file, and sockets that are new
  const bound = stagePidFile(parts, configuration) ? await sockets.bind(configuration.listens, parts.leaving) : null;
  if (bound === null) {
    pidFile.abandon();
    logFiles.abandon();
    return null;
  }
  // 3. every worker compiles
  const prepared = await pool.prepareAll(configuration, generation);
  if (prepared.outcome === 'refused' || parts.leaving.aborted) {
    if (prepared.outcome === 'refused') for (const text of prepared.findings) log.write('emerg', text);
    pool.abandonAll(generation);
    sockets.abandon(bound);
    pidFile.abandon();
    logFiles.abandon();
    return null;
  }
  // 4. all swap: the point of no return
  parts.onSwap(configuration);
  const gone = sockets.commit(bound);
  useErrorLog(configuration, log, logFiles);
  logFiles.commit();
  const failure = pidFile.commit();
  if (failure !== null) log.write('alert', failure);
  const swapped = await pool.swapAll(generation);
  if (swapped.outcome === 'refused') for (const text of swapped.findings) log.write('emerg', text);
  for (const socket of gone) socket.close(parts.hasMaster);
  return configuration;
}

/** False when it can't be written; the log says why. */
function stagePidFile({ pidFile, log }: ReloadParts, configuration: Configuration): boolean {
  try {
    pidFile.stage(pidPath(configuration));
    return true;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    log.write('emerg', error.message);
    return false;
  }
}
