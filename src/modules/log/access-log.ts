import { ConfigError } from '../../config/diagnostic.ts';
import { fullName } from '../../config/full-name.ts';
import type { SourcePos } from '../../config/tree.ts';
import { nowMs } from '../../core/clock.ts';
import type { LocationBuild } from '../../http/http-module.ts';
import type { LogHandler } from '../../http/location.ts';
import { LOG_FILES } from '../../http/observe-services.ts';
import { fileRootOf, missingDirectory } from '../http-core/file-root.ts';
import type { AccessLogConf } from './access-log-conf.ts';
import { LogFileCache, type LogFileCacheConf } from './log-file-cache.ts';
import type { LineBuilder } from './log-format.ts';

type LogBuild = Pick<LocationBuild, 'variables' | 'services' | 'prefix'>;

/** What nginx adds to every error of its log phase. */
const WHILE_LOGGING = ' while logging request';

/** Opens one access log and gives the handler that writes a line of it. Throws ConfigError when the file can't be opened. */
export function accessLogHandler(
  conf: AccessLogConf,
  lineOf: LineBuilder,
  cacheConf: LogFileCacheConf | null,
  build: LogBuild,
): LogHandler {
  build.variables.pos = conf.pos;
  const write = writer(conf, lineOf, cacheConf, build);
  const text = conf.condition;
  if (text === null) return write;
  const condition = at(conf.pos, () => build.variables.template(text));
  return (ex) => {
    const value = condition.evaluate(ex);
    if (value !== '' && value !== '0') write(ex);
  };
}

function writer(
  conf: AccessLogConf,
  lineOf: LineBuilder,
  cacheConf: LogFileCacheConf | null,
  build: LogBuild,
): LogHandler {
  if (conf.syslog !== null) {
    const log = build.services.get(LOG_FILES).syslog.open(conf.syslog);
    return (ex) => log.write(lineOf(ex));
  }
  return conf.path.includes('$') ? variableFileWriter(conf, lineOf, cacheConf, build) : fileWriter(conf, lineOf, build);
}

function fileWriter(conf: AccessLogConf, lineOf: LineBuilder, { services }: LogBuild): LogHandler {
  // Only `error_log` knows these words: here they are files like any other.
  const path = conf.path === 'stderr' || conf.path === 'stdout' ? `./${conf.path}` : conf.path;
  const { bufferBytes, flushMs } = conf;
  const file = at(conf.pos, () => services.get(LOG_FILES).open(path, bufferBytes > 0 ? { bufferBytes, flushMs } : {}));
  return (ex) => file.write(lineOf(ex));
}

function variableFileWriter(
  conf: AccessLogConf,
  lineOf: LineBuilder,
  cacheConf: LogFileCacheConf | null,
  { prefix, variables }: LogBuild,
): LogHandler {
  const base = fullName(prefix, conf.path).slice(0, -conf.path.length);
  const path = at(conf.pos, () => variables.template(conf.path));
  const files = new LogFileCache(cacheConf, nowMs);
  return (ex) => {
    // nginx writes such a log only for requests whose root directory is there.
    const root = fileRootOf(ex)?.directoryOf(ex) ?? base;
    const missing = missingDirectory(root);
    if (missing !== null) {
      ex.location.errorLog.write('error', ex, `testing "${root}" existence failed (${missing})${WHILE_LOGGING}`);
      return;
    }
    const failure = files.append(base + path.evaluate(ex), `${lineOf(ex)}\n`);
    if (failure !== null) ex.location.errorLog.write('crit', ex, failure + WHILE_LOGGING);
  };
}

/** Findings made while compiling belong to the line of the `access_log`. */
function at<T>(pos: SourcePos | null, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (error instanceof ConfigError && error.pos === null) throw new ConfigError(error.message, pos);
    throw error;
  }
}
