import type { Scope } from '../../config/scope.ts';
import { ExchangeLog } from '../../http/exchange-log.ts';
import type { Services } from '../../http/http-module.ts';
import type { RequestLog } from '../../http/location.ts';
import { DEFAULT_ERROR_LOG, LOG_FILES } from '../../http/observe-services.ts';
import { ErrorLog } from '../../observe/error-log.ts';
import type { LogFiles } from '../../observe/log-files.ts';
import { coreModule } from './core-module.ts';
import type { ErrorLogConf } from './error-log-conf.ts';

/** The error log of a scope, its files open; `defaultPath` when no `error_log` holds in it. Throws ConfigError when a file can't be opened. */
export function openErrorLog(confs: readonly ErrorLogConf[], files: LogFiles, defaultPath: string): ErrorLog {
  const said: readonly ErrorLogConf[] =
    confs.length > 0 ? confs : [{ path: defaultPath, syslog: null, level: 'error', format: 'nginx' }];
  return new ErrorLog(
    said.map(({ path, syslog, level, format }) => ({
      file: syslog === null ? files.open(path) : files.syslog.open(syslog),
      level,
      format,
    })),
  );
}

/** What requests of a location (or of a server's own scope) write to. */
export function requestLogOf(scope: Scope, services: Services): RequestLog {
  const { errorLogs } = scope.conf(coreModule);
  return new ExchangeLog(openErrorLog(errorLogs, services.get(LOG_FILES), services.get(DEFAULT_ERROR_LOG).path));
}
