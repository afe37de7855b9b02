import { ConfigError } from '../config/diagnostic.ts';
import { ErrorLog } from '../observe/error-log.ts';
import type { LogFiles } from '../observe/log-files.ts';
import type { MainLog } from './main-log.ts';

/** The error log exists from the first moment; one that can't be opened is no reason to stop, unless the configuration wants it. */
export function openFirstLog(log: MainLog, logFiles: LogFiles, path: string): void {
  try {
    const file = logFiles.open(path);
    log.use(new ErrorLog([{ file, level: 'notice', format: 'nginx' }]), path === 'stderr');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    log.write('alert', `could not open error log file: ${error.message}`);
    // As nginx: from here on stderr is the log, in the log's format.
    log.use(new ErrorLog([{ file: logFiles.open('stderr'), level: 'notice', format: 'nginx' }]), true);
  }
}
