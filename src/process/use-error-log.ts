import { openErrorLog } from '../modules/core/open-error-log.ts';
import type { LogFiles } from '../observe/log-files.ts';
import type { Configuration } from './configuration.ts';
import type { MainLog } from './main-log.ts';

/** Makes the configuration's `error_log` the main one. Its files are open already: they were when it was checked. */
export function useErrorLog({ core, forWorkers }: Configuration, log: MainLog, logFiles: LogFiles): void {
  const isStderr = core.errorLogs.some((conf) => conf.path === 'stderr');
  log.use(openErrorLog(core.errorLogs, logFiles, forWorkers.defaultErrorLog), isStderr);
}
