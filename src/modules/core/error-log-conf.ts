import type { DirectiveUse } from '../../config/directive-spec.ts';
import { isLogLevel, type LogLevel } from '../../observe/log-level.ts';

/** One `error_log`. */
export interface ErrorLogConf {
  /** As written; `stderr` is the process's own. */
  readonly path: string;
  readonly level: LogLevel;
  readonly format: 'nginx' | 'json';
}

/** `error_log file [level] [json]`. */
export function parseErrorLog(use: DirectiveUse): ErrorLogConf {
  const [path = '', ...words] = use.args;
  if (path.startsWith('syslog:')) use.fail('"syslog:" is not supported in "error_log", log to a file or to stderr');
  if (path.startsWith('memory:')) use.fail('nginx was built without debug support');
  let level: LogLevel = 'error';
  const format = words.at(-1) === 'json' ? 'json' : 'nginx';
  for (const word of format === 'json' ? words.slice(0, -1) : words) {
    if (!isLogLevel(word)) use.fail(`invalid log level "${word}"`);
    else level = word;
  }
  return { path, level, format };
}
