import type { DirectiveUse } from '../../config/directive-spec.ts';
import { isLogLevel, type LogLevel } from '../../observe/log-level.ts';
import type { SyslogSettings } from '../../observe/syslog/syslog-settings.ts';
import { isSyslog, parseSyslog } from './parse-syslog.ts';

/** One `error_log`. */
export interface ErrorLogConf {
  /** As written; `stderr` is the process's own. */
  readonly path: string;
  /** `syslog:…`; null: it is a file. */
  readonly syslog: SyslogSettings | null;
  readonly level: LogLevel;
  readonly format: 'nginx' | 'json';
}

/** `error_log file | syslog:… [level] [json]`. */
export function parseErrorLog(use: DirectiveUse): ErrorLogConf {
  const [path = '', ...words] = use.args;
  const syslog = isSyslog(path) ? parseSyslog(use, path) : null;
  if (path.startsWith('memory:')) use.fail('nginx was built without debug support');
  let level: LogLevel | null = null;
  const format = words.at(-1) === 'json' ? 'json' : 'nginx';
  for (const word of format === 'json' ? words.slice(0, -1) : words) {
    if (!isLogLevel(word)) return use.fail(`invalid log level "${word}"`);
    if (level !== null) use.fail(`duplicate log level "${word}"`);
    level = word;
  }
  return { path, syslog, level: level ?? 'error', format };
}
