import { formatDiagnostic } from '../config/diagnostic.ts';
import { changedKey, type LimitZone } from '../modules/limit-zone/limit-zone.ts';
import type { LogFiles } from '../observe/log-files.ts';
import type { Configuration } from './configuration.ts';
import type { LoadedConfiguration } from './load-configuration.ts';
import { handLogsOver } from './log-owner.ts';
import type { MainLog } from './main-log.ts';
import type { SocketSet } from './socket-set.ts';
import { useErrorLog } from './use-error-log.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface ReloadParts {
  readonly log: MainLog;
  readonly logFiles: LogFiles;
  readonly sockets: SocketSet;
  readonly pool: WorkerPool;
  readonly load: () => Promise<LoadedConfiguration>;
  /** Number of the new configuration. */
  readonly generation: number;
  /** Workers are processes of their own. */
  readonly hasMaster: boolean;
  /** Zones of `limit_req` and `limit_conn` in force. */
  readonly limitZones: readonly LimitZone[];
  /** Every worker is ready: from here on requests of both configurations come. */
  readonly onSwap: (next: Configuration) => void;
  /** False when the program was told to leave meanwhile. */
  readonly isWanted: () => boolean;
}

/**
 * HUP, in two phases over all workers. Resolves the configuration that is in force in all of them now; null: it was refused, why is in the log,
 * and everything is as it was.
 */
export async function reload(parts: ReloadParts): Promise<Configuration | null> {
  const { log, logFiles, sockets, pool, generation } = parts;
  log.write('notice', 'reconfiguring');
  // 1. read and check
  logFiles.begin();
  const { configuration, findings, lateFindings } = await parts.load();
  for (const finding of [...findings, ...lateFindings]) log.write(finding.severity, formatDiagnostic(finding));
  if (configuration === null) {
    logFiles.abandon();
    return null;
  }
  const changed = changedKey(parts.limitZones, configuration.limitZones);
  if (changed !== null) {
    log.write('emerg', changed);
    logFiles.abandon();
    return null;
  }
  handLogsOver(logFiles, configuration.core.user);
  // 2. sockets that are new
  const bound = await sockets.bind(configuration.listens);
  if (bound === null) {
    logFiles.abandon();
    return null;
  }
  // 3. every worker compiles
  const prepared = await pool.prepareAll(configuration, generation);
  if (prepared.outcome === 'refused' || !parts.isWanted()) {
    if (prepared.outcome === 'refused') for (const text of prepared.findings) log.write('emerg', text);
    pool.abandonAll(generation);
    sockets.abandon(bound);
    logFiles.abandon();
    return null;
  }
  // 4. all swap: the point of no return
  parts.onSwap(configuration);
  const gone = sockets.commit(bound);
  useErrorLog(configuration, log, logFiles);
  logFiles.commit();
  const swapped = await pool.swapAll(generation);
  if (swapped.outcome === 'refused') for (const text of swapped.findings) log.write('emerg', text);
  for (const socket of gone) socket.close(parts.hasMaster);
  return configuration;
}
