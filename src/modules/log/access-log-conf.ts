import { HTTP } from '../../config/contexts.ts';
import { ConfigError } from '../../config/diagnostic.ts';
import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseSizeBytes, parseTimeMs } from '../../config/parse-value.ts';
import type { Scope } from '../../config/scope.ts';
import type { SourcePos } from '../../config/tree.ts';
import type { SyslogSettings } from '../../observe/syslog/syslog-settings.ts';
import { isSyslog, parseSyslog } from '../core/parse-syslog.ts';
import { COMBINED, type LogFormat } from './log-format.ts';

/** One `access_log path …`. */
export interface AccessLogConf {
  /** As written; may hold variables. */
  readonly path: string;
  /** `syslog:…`; null: it is a file. */
  readonly syslog: SyslogSettings | null;
  readonly format: LogFormat;
  /** `buffer=`; 0 = none. */
  readonly bufferBytes: number;
  /** `flush=`, in ms; 0 = none. */
  readonly flushMs: number;
  /** `if=`: the line is written unless this is empty or `0`. Null = always. */
  readonly condition: string | null;
  readonly pos: SourcePos | null;
}

const NOT_BUFFERED = 'logs to syslog cannot be buffered';

/** `access_log path | syslog:… [format [buffer=size] [flush=time] [if=condition]]`. `formats`: those defined so far. */
export function parseAccessLog(use: DirectiveUse, formats: readonly LogFormat[]): AccessLogConf {
  const [path = '', formatName = 'combined', ...options] = use.args;
  const syslog = isSyslog(path) ? parseSyslog(use, path) : null;
  const format = findFormat(formatName, formats);
  if (format === undefined) return use.fail(`unknown log format "${formatName}"`);
  let bufferBytes = 0;
  let flushMs = 0;
  let condition: string | null = null;
  for (const option of options) {
    const value = option.slice(option.indexOf('=') + 1);
    if (option.startsWith('buffer=')) {
      bufferBytes = parseSizeBytes(value) ?? 0;
      if (bufferBytes === 0) use.fail(`invalid buffer size "${value}"`);
    } else if (option.startsWith('flush=')) {
      flushMs = parseTimeMs(value) ?? 0;
      if (flushMs === 0) use.fail(`invalid flush time "${value}"`);
    } else if (option.startsWith('if=')) {
      condition = value;
    } else if (syslog !== null && (option === 'gzip' || option.startsWith('gzip='))) {
      use.fail(NOT_BUFFERED);
    } else if (option === 'gzip' || option.startsWith('gzip=')) {
      use.fail(`"${option}" is not supported in "access_log", compress the logs when they are rotated`);
    } else {
      use.fail(`invalid parameter "${option}"`);
    }
  }
  if (flushMs > 0 && bufferBytes === 0) use.fail(`no buffer is defined for access_log "${path}"`);
  if (bufferBytes > 0 && syslog === null && path.includes('$')) use.fail('buffered logs cannot have variables in name');
  if (bufferBytes > 0 && syslog !== null) use.fail(NOT_BUFFERED);
  return { path, syslog, format, bufferBytes, flushMs, condition, pos: use.pos };
}

/** The access log of a configuration that names none: where nginx's own packages have it. */
export const DEFAULT_ACCESS_LOG: AccessLogConf = {
  path: '/var/log/nginx/access.log',
  syslog: null,
  format: COMBINED,
  bufferBytes: 0,
  flushMs: 0,
  condition: null,
  pos: null,
};

/** Names are compared in any case. */
function findFormat(name: string, formats: readonly LogFormat[]): LogFormat | undefined {
  const wanted = name.toLowerCase();
  return [COMBINED, ...formats].find((format) => format.name.toLowerCase() === wanted);
}

/** All buffers of one file must be alike. `buffered`: by path, those said so far; the new one is added. */
export function checkBuffer(use: DirectiveUse, log: AccessLogConf, buffered: Map<string, AccessLogConf>): void {
  if (log.bufferBytes === 0) return;
  const known = buffered.get(log.path);
  if (known === undefined) buffered.set(log.path, log);
  else if (known.bufferBytes !== log.bufferBytes || known.flushMs !== log.flushMs) {
    use.fail(`access_log "${log.path}" already defined with conflicting parameters`);
  }
}

/** The http scope that a scope lies in. */
export function httpScopeOf(scope: Scope): Scope {
  for (let at: Scope | null = scope; at !== null; at = at.parent) if (at.context === HTTP) return at;
  throw new ConfigError('access logs belong to http');
}
