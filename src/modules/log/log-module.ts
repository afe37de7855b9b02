import { HTTP, HTTP_SCOPES, LIMIT_EXCEPT, LOCATION_IF } from '../../config/contexts.ts';
import { ConfigError } from '../../config/diagnostic.ts';
import { directive } from '../../config/directive-spec.ts';
import type { HttpModule, LocationBuild } from '../../http/http-module.ts';
import type { LogHandler } from '../../http/location.ts';
import { MAIN_LOG } from '../../http/observe-services.ts';
import type { VariableCompiler } from '../../http/variable.ts';
import { accessLogHandler } from './access-log.ts';
import { type AccessLogConf, checkBuffer, DEFAULT_ACCESS_LOG, httpScopeOf, parseAccessLog } from './access-log-conf.ts';
import { type LogFileCacheConf, parseLogFileCache } from './log-file-cache.ts';
import { COMBINED, compileLogFormat, type LineBuilder, type LogFormat, parseLogFormat } from './log-format.ts';

export interface LogConf {
  /** Every `log_format`, in the order of the file; in the http scope only. */
  formats: readonly LogFormat[];
  /** Logs with `buffer=`, by path; in the http scope only. */
  buffered: Map<string, AccessLogConf>;
  /** Every `access_log` of this scope; null = nothing was said. */
  logs: readonly AccessLogConf[] | null;
  /** `access_log off`. */
  isOff: boolean;
  /** `open_log_file_cache`; null = off. */
  fileCache: LogFileCacheConf | null;
}

/** What one configuration's logs were compiled to, so that locations that inherit a log share it. */
interface CompiledLogs {
  readonly lines: Map<LogFormat, LineBuilder>;
  /** By the list of logs and the cache that goes with it. */
  readonly handlers: Map<readonly AccessLogConf[], Map<LogFileCacheConf | null, readonly LogHandler[]>>;
}

const NO_LOG_SAID: readonly AccessLogConf[] = [DEFAULT_ACCESS_LOG];
const compiledOf = new WeakMap<VariableCompiler, CompiledLogs>();

/** nginx's ngx_http_log_module: `access_log`, `log_format`, `open_log_file_cache`. */
export const logModule: HttpModule<LogConf> = {
  name: 'log',
  defaults: () => ({ formats: [], buffered: new Map(), logs: null, isOff: false, fileCache: null }),
  rows: [
    directive<LogConf>({
      name: 'log_format',
      contexts: HTTP,
      args: [2, Number.POSITIVE_INFINITY],
      repeat: 'append',
      apply(conf, use) {
        const [name = '', ...words] = use.args;
        const known = conf.formats ?? [];
        if ([COMBINED, ...known].some((format) => format.name === name)) {
          use.fail(`duplicate "log_format" name "${name}"`);
        }
        conf.formats = [...known, parseLogFormat(name, words, use.pos)];
      },
      syntax: 'name [escape=default | json | none] string ...',
      defaultText: 'combined "..."',
      doc: 'Defines a format for lines of the access log. Values are escaped so that a line stays one line.',
    }),
    directive<LogConf>({
      name: 'access_log',
      contexts: HTTP_SCOPES | LOCATION_IF | LIMIT_EXCEPT,
      args: [1, Number.POSITIVE_INFINITY],
      repeat: 'append',
      apply(conf, use) {
        if (use.args[0] === 'off') {
          if (use.args.length > 1) use.fail(`invalid parameter "${use.args[1]}"`);
          conf.isOff = true;
          return;
        }
        const http = httpScopeOf(use.scope).own(logModule);
        const log = parseAccessLog(use, http.formats ?? []);
        checkBuffer(use, log, (http.buffered ??= new Map()));
        conf.logs = [...(conf.logs ?? []), log];
      },
      syntax: 'path | syslog:parameters [format [buffer=size] [flush=time] [if=condition]] | off',
      defaultText: '/var/log/nginx/access.log combined',
      doc: 'Writes a line for each request, or only where the condition is neither empty nor `0`. Several at one level write several lines; those of outer levels do not count then. The path may contain variables. `syslog:server=address[,facility=local7][,severity=info][,tag=nginx][,nohostname]`: to that server, by UDP or `unix:/dev/log`.',
    }),
    directive<LogConf>({
      name: 'open_log_file_cache',
      contexts: HTTP_SCOPES,
      args: [1, 4],
      field: 'fileCache',
      parse: parseLogFileCache,
      syntax: 'max=N [inactive=time] [min_uses=N] [valid=time] | off',
      defaultText: 'off',
      doc: 'Keeps log files whose names have variables open between lines.',
    }),
  ],
  finish(merged, own) {
    if (own.logs === undefined && own.isOff === undefined) return;
    merged.logs = own.logs ?? null;
    merged.isOff = own.isOff ?? false;
  },
  compileHttp(conf, _scope, variables) {
    // A format is checked even when no log uses it.
    for (const format of conf.formats) lineBuilder(format, variables);
  },
  compileLocation(conf, build) {
    if (conf.isOff) return;
    const handlers = conf.logs === null ? defaultHandlers(build) : handlersOf(conf.logs, conf.fileCache, build);
    for (const handler of handlers) build.addLog(handler);
  },
};

/** nginx doesn't start without its default log; where nothing was said, we go on without one. */
function defaultHandlers(build: LocationBuild): readonly LogHandler[] {
  try {
    return handlersOf(NO_LOG_SAID, null, build);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    build.services.get(MAIN_LOG).write('warn', `no access log: ${error.message}`);
    compiled(build.variables).handlers.set(NO_LOG_SAID, new Map([[null, []]]));
    return [];
  }
}

function compiled(variables: VariableCompiler): CompiledLogs {
  let logs = compiledOf.get(variables);
  if (logs === undefined) compiledOf.set(variables, (logs = { lines: new Map(), handlers: new Map() }));
  return logs;
}

function lineBuilder(format: LogFormat, variables: VariableCompiler): LineBuilder {
  const { lines } = compiled(variables);
  let builder = lines.get(format);
  if (builder === undefined) lines.set(format, (builder = compileLogFormat(format, variables)));
  return builder;
}

function handlersOf(
  logs: readonly AccessLogConf[],
  cache: LogFileCacheConf | null,
  build: LocationBuild,
): readonly LogHandler[] {
  const { handlers } = compiled(build.variables);
  let byCache = handlers.get(logs);
  if (byCache === undefined) handlers.set(logs, (byCache = new Map()));
  let list = byCache.get(cache);
  if (list === undefined) {
    list = logs.map((log) => accessLogHandler(log, lineBuilder(log.format, build.variables), cache, build));
    byCache.set(cache, list);
  }
  return list;
}
