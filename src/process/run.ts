import { basename } from 'node:path';
import { formatDiagnostic, includeChain } from '../config/diagnostic.ts';
import { fullName } from '../config/full-name.ts';
import { TicketKeyRing } from '../net/tls-sessions/ticket-key-ring.ts';
import { LogFiles } from '../observe/log-files.ts';
import type { ConfigSource } from './config-source.ts';
import type { Configuration } from './configuration.ts';
import { daemonize, isDaemon, sayToStarter, tellReady } from './daemon.ts';
import { InProcessLink } from './in-process-link.ts';
import { loadConfiguration } from './load-configuration.ts';
import { MainLog } from './main-log.ts';
import { oneLine } from './one-line.ts';
import { openFirstLog } from './open-first-log.ts';
import { Primary } from './primary.ts';
import { obeySignals } from './signals.ts';
import { logsToStderr, useErrorLog } from './use-error-log.ts';
import { type ForkOptions, ProcessLink } from './worker-link.ts';
import { makeWorkerParts } from './worker-parts.ts';

export interface RunOptions {
  readonly source: ConfigSource;
  /** `-e`, else the built-in path; `stderr` is the process's own. */
  readonly defaultErrorLog: string;
  /** What the processes call themselves: `nginx` or `evenkeel`. */
  readonly title: string;
  /** Called when it serves. */
  readonly onReady?: () => void;
}

/** Starts, serves, and resolves the exit code when all is over. */
export async function run(options: RunOptions): Promise<number> {
  const { source, defaultErrorLog } = options;
  const logFiles = new LogFiles(source.prefix);
  const log = new MainLog(sayToStarter);
  logFiles.syslog.onTrouble = (text) => log.write('error', text);
  openFirstLog(log, logFiles, defaultErrorLog);
  try {
    return await serve(options, log, logFiles);
  } finally {
    logFiles.flushAtExit();
  }
}

async function serve(options: RunOptions, log: MainLog, logFiles: LogFiles): Promise<number> {
  const { source, defaultErrorLog } = options;
  const ticketKeys = new TicketKeyRing();
  const load = () => loadConfiguration({ source, log, logFiles, defaultErrorLog, ticketKeys });

  // 1. read and check
  logFiles.begin();
  const { configuration, findings, lateFindings } = await load();
  const goesToBackground = configuration?.core.isDaemon === true && !isDaemon;
  // The background process will say the warnings.
  for (const finding of goesToBackground ? [] : [...findings, ...lateFindings]) {
    log.write(finding.severity, formatDiagnostic(finding));
    for (const link of includeChain(finding)) sayToStarter(`nginx:   ${link}\n`);
  }
  if (configuration === null) return 1;
  if (goesToBackground) {
    const isStderr = defaultErrorLog === 'stderr' || logsToStderr(configuration);
    return daemonize(isStderr ? 'stderr' : fullName(source.prefix, defaultErrorLog));
  }
  useErrorLog(configuration, log, logFiles);
  logFiles.commit();

  // 2. serve
  process.title = `${options.title}: master process ${process.argv.slice(1).join(' ')}`;
  log.write('notice', `using the "epoll" event method`);
  log.write('notice', `${basename(process.execPath)} ${process.version}`);
  const forkOptions = ({ core }: Configuration): ForkOptions => ({
    env: workerEnv(core.env),
    args: [options.title, source.prefix],
  });
  const primary = new Primary(configuration, {
    forkOptions,
    log,
    logFiles,
    load,
    ticketKeys,
    makeLink: (config) =>
      configuration.core.hasMaster
        ? new ProcessLink(forkOptions(config))
        : new InProcessLink((host) => makeWorkerParts({ host, log, logFiles, isInProcess: true })),
  });
  obeySignals(primary, log);
  process.on('uncaughtException', (error) => {
    log.write('alert', `uncaught exception: ${oneLine(error)}`);
    process.exitCode = 1;
    primary.stop();
  });
  if (!(await primary.start())) return 1;
  log.started();
  tellReady();
  options.onReady?.();
  // Without workers (WINCH) nothing else would keep the event loop alive: bound sockets and signal handlers do not.
  const keepsAlive = setInterval(() => undefined, 2 ** 30);
  await primary.ended;
  clearInterval(keepsAlive);
  return Number(process.exitCode ?? 0);
}

/** `NAME=VALUE` lines of `env`. */
function workerEnv(lines: readonly string[]): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const line of lines) {
    const at = line.indexOf('=');
    if (at > 0) env[line.slice(0, at)] = line.slice(at + 1);
  }
  return env;
}
