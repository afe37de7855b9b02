import { constants } from 'node:os';
import { ConfigError, formatDiagnostic, hasEmerg, includeChain } from '../config/diagnostic.ts';
import { fullName } from '../config/full-name.ts';
import { strerror } from '../core/strerror.ts';
import { coreModule } from '../modules/core/core-module.ts';
import { LogFiles } from '../observe/log-files.ts';
import { writeStderr } from '../observe/stderr.ts';
import type { ConfigSource } from './config-source.ts';
import { MainLog } from './main-log.ts';
import { openFirstLog } from './open-first-log.ts';
import { readPid } from './pid-file.ts';

const SIGNALS = { stop: 'SIGTERM', quit: 'SIGQUIT', reopen: 'SIGUSR1', reload: 'SIGHUP' } as const;

export interface SignalRequest {
  readonly source: ConfigSource;
  /** `-e`, else the built-in path: what goes wrong is told there too. */
  readonly defaultErrorLog: string;
  readonly word: keyof typeof SIGNALS;
}

/** `-s word`: signals the primary that the configuration's pid file names. Gives the exit code. */
export function sendSignal({ source, defaultErrorLog, word }: SignalRequest): number {
  const logFiles = new LogFiles(source.prefix);
  const log = new MainLog(writeStderr);
  openFirstLog(log, logFiles, defaultErrorLog);
  try {
    return signalPrimary(source, word, log);
  } finally {
    logFiles.flushAtExit();
  }
}

function signalPrimary(source: ConfigSource, word: keyof typeof SIGNALS, log: MainLog): number {
  const { main, diagnostics } = source.read();
  for (const finding of diagnostics) {
    log.write(finding.severity, formatDiagnostic(finding));
    for (const link of includeChain(finding)) writeStderr(`nginx:   ${link}\n`);
  }
  if (hasEmerg(diagnostics)) return 1;
  log.write('notice', 'signal process started');
  let pid: number;
  try {
    pid = readPid(fullName(source.prefix, main.conf(coreModule).pidFile));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    log.write('error', error.message);
    return 1;
  }
  try {
    process.kill(pid, SIGNALS[word]);
    return 0;
  } catch (error) {
    const number = constants.signals[SIGNALS[word]];
    const reason = strerror((error as NodeJS.ErrnoException).code ?? '');
    log.write('alert', `kill(${pid}, ${number}) failed (${reason})`);
    return 1;
  }
}
