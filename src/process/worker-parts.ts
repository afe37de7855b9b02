import { nowMs } from '../core/clock.ts';
import { fastLayerWorks } from '../net/fast-layer-check.ts';
import { ClusterStatsClient } from '../observe/cluster-stats.ts';
import { Counters } from '../observe/counters.ts';
import type { LogFiles } from '../observe/log-files.ts';
import { ConnectionNumbers } from './connection-numbers.ts';
import { HttpRuntime } from './http-runtime.ts';
import type { MainLog } from './main-log.ts';
import type { WorkerHost, WorkerParts } from './worker.ts';

export interface WorkerSetting {
  readonly host: WorkerHost;
  readonly log: MainLog;
  readonly logFiles: LogFiles;
  /** The worker is a part of the primary's process. */
  readonly isInProcess: boolean;
}

/** Puts a worker together. */
export async function makeWorkerParts({ host, log, logFiles, isInProcess }: WorkerSetting): Promise<WorkerParts> {
  const counters = new Counters();
  const ask = (query: number, isFull: boolean) => host.send({ type: 'stats-request', query, isFull });
  const stats = new ClusterStatsClient(counters, ask, nowMs);
  const connectionNumbers = new ConnectionNumbers(() => host.send({ type: 'connection-numbers-wanted' }));
  const runtime = new HttpRuntime({
    log,
    logFiles,
    counters,
    connectionNumbers,
    stats,
    isFast: await fastLayerWorks(),
    askForSocket: isInProcess ? null : (key) => host.send({ type: 'socket-wanted', key }),
    sendZoneMessage: (payload) => host.send({ type: 'zone', payload }),
    sendLimitMessage: (payload) => host.send({ type: 'limit', payload }),
    sendSessionMessage: (payload) => host.send({ type: 'session', payload }),
  });
  return {
    runtime,
    log,
    logFiles,
    counters,
    connectionNumbers,
    onStatsReply: (message) => stats.answered(message.query, message.stats),
  };
}
