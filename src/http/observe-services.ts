import type { ClusterStatsClient } from '../observe/cluster-stats.ts';
import type { Counters } from '../observe/counters.ts';
import type { Log } from '../observe/error-log.ts';
import type { LogFiles } from '../observe/log-files.ts';
import { ServiceKey } from './http-module.ts';

/** Every log file of the process: `services.get(LOG_FILES).open(path, { bufferBytes, flushMs }).write(line)`. */
export const LOG_FILES = new ServiceKey<LogFiles>('log files');

/** The main error log, for what belongs to no request. It follows reloads. */
export const MAIN_LOG = new ServiceKey<Log>('main error log');

/** This worker's connection counters. */
export const COUNTERS = new ServiceKey<Counters>('counters');

/** Where errors go when no `error_log` says so (`-e`, else the built-in path). */
export const DEFAULT_ERROR_LOG = new ServiceKey<{ readonly path: string }>('default error log');

/** The numbers of all workers together. */
export const CLUSTER_STATS = new ServiceKey<ClusterStatsClient>('cluster stats');
