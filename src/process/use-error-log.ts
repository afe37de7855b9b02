import { openErrorLog } from '../modules/core/open-error-log.ts';
import type { LogFiles } from '../observe/log-files.ts';
import type { Configuration } from './configuration.ts';
import type { MainLog } from './main-log.ts';

/** Makes the configuration's `error_log` the main one. Its files are open already: they were when it was checked. */
export function useErrorLog(configuration: Configuration, log: MainLog, logFiles: LogFiles): void {
  const { core, forWorkers } = configuration;
  log.use(openErrorLog(core.errorLogs, logFiles, forWorkers.defaultErrorLog), logsToStderr(configuration));
}

/** One of the main scope's `error_log`s is the process's own stderr. */
export function logsToStderr({ core }: Configuration): boolean {
  return core.errorLogs.some((conf) => conf.path === 'stderr');
}
