import { existsSync } from 'node:fs';
import { formatDiagnostic, hasEmerg, includeChain } from '../config/diagnostic.ts';
import { dumpConfig } from '../config/dump.ts';
import { TicketKeyRing } from '../net/tls-sessions/ticket-key-ring.ts';
import { LogFiles } from '../observe/log-files.ts';
import { writeStderr, writeStdout } from '../observe/stderr.ts';
import type { ConfigSource } from './config-source.ts';
import type { Configuration } from './configuration.ts';
import { BindError, ListenSocket } from './listen-socket.ts';
import { loadConfiguration } from './load-configuration.ts';
import { MainLog } from './main-log.ts';
import { openFirstLog } from './open-first-log.ts';

export interface TestOptions {
  readonly source: ConfigSource;
  readonly defaultErrorLog: string;
  /** `-T`. */
  readonly dumps: boolean;
  /** `-q`. */
  readonly isQuiet: boolean;
}

/** `-t` and `-T`: nginx's lines on stderr, the dump on stdout. Resolves the exit code. */
export async function testConfiguration(options: TestOptions): Promise<number> {
  const { source, defaultErrorLog, dumps, isQuiet } = options;
  const logFiles = new LogFiles(source.prefix);
  const log = new MainLog(writeStderr);
  openFirstLog(log, logFiles, defaultErrorLog);
  const { configuration, findings, lateFindings } = await loadConfiguration({
    source,
    log,
    logFiles,
    defaultErrorLog,
    ticketKeys: new TicketKeyRing(),
  });
  for (const finding of findings) {
    log.write(finding.severity, formatDiagnostic(finding));
    for (const link of includeChain(finding)) writeStderr(`nginx:   ${link}\n`);
  }
  if (!hasEmerg(findings) && !isQuiet) writeStderr(`nginx: the configuration file ${source.file} syntax is ok\n`);
  for (const finding of lateFindings) log.write(finding.severity, formatDiagnostic(finding));
  const isGood = configuration !== null && (await canListen(configuration, log));
  logFiles.flushAtExit();
  if (!isGood) {
    writeStderr(`nginx: configuration file ${source.file} test failed\n`);
    return 1;
  }
  if (!isQuiet) writeStderr(`nginx: configuration file ${source.file} test is successful\n`);
  if (dumps) writeStdout(dumpConfig(configuration.forWorkers.snapshot));
  return 0;
}

/** As nginx: every address is bound once; one that is in use (by the running program) is no fault. */
async function canListen(configuration: Configuration, log: MainLog): Promise<boolean> {
  let isGood = true;
  for (const address of configuration.listens) {
    // Somebody's file, perhaps the running program's socket: not for a test to remove.
    if (address.family === 'unix' && existsSync(Buffer.from(address.path, 'latin1'))) continue;
    try {
      (await ListenSocket.bind(address)).close();
    } catch (error) {
      if (!(error instanceof BindError)) throw error;
      if (error.isInUse) continue;
      log.write('emerg', error.message);
      isGood = false;
    }
  }
  return isGood;
}
