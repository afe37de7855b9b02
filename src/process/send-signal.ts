import { constants } from 'node:os';
import { ConfigError, formatDiagnostic, hasEmerg } from '../config/diagnostic.ts';
import { fullName } from '../config/full-name.ts';
import { strerror } from '../core/strerror.ts';
import { coreModule } from '../modules/core/core-module.ts';
import { writeStderr } from '../observe/stderr.ts';
import type { ConfigSource } from './config-source.ts';
import { readPid } from './pid-file.ts';

const SIGNALS = { stop: 'SIGTERM', quit: 'SIGQUIT', reopen: 'SIGUSR1', reload: 'SIGHUP' } as const;

/** `-s word`: signals the primary that the configuration's pid file names. Gives the exit code. */
export function sendSignal(source: ConfigSource, word: keyof typeof SIGNALS): number {
  const { main, diagnostics } = source.read();
  for (const finding of diagnostics) say(finding.severity, formatDiagnostic(finding));
  if (hasEmerg(diagnostics)) return 1;
  let pid: number;
  try {
    pid = readPid(fullName(source.prefix, main.conf(coreModule).pidFile));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    say('error', error.message);
    return 1;
  }
  try {
    process.kill(pid, SIGNALS[word]);
    return 0;
  } catch (error) {
    const number = constants.signals[SIGNALS[word]];
    say('alert', `kill(${pid}, ${number}) failed (${strerror((error as NodeJS.ErrnoException).code ?? '')})`);
    return 1;
  }
}

function say(level: string, text: string): void {
  writeStderr(`nginx: [${level}] ${text}\n`);
}
