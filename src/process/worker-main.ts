/** The program of a worker process: `worker-main TITLE PREFIX`. */

import type { ListenHandle } from '../net/listen-address.ts';
import { LogFiles } from '../observe/log-files.ts';
import { dropPrivileges } from './drop-privileges.ts';
import { MainLog } from './main-log.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { oneLine } from './one-line.ts';
import { Worker } from './worker.ts';
import { makeWorkerParts } from './worker-parts.ts';

/** Without a primary nobody can tell us anything any more: connections get this long to end. */
const ORPHAN_TIMEOUT_MS = 30_000;

const [title = 'evenkeel', prefix = '/'] = process.argv.slice(2);
process.title = `${title}: worker process`;

const logFiles = new LogFiles(prefix);
const log = new MainLog(null);
logFiles.syslog.onTrouble = (text) => log.write('error', text);

function exit(code: number): void {
  logFiles.flushAtExit();
  process.exit(code);
}

process.on('uncaughtException', (error) => {
  log.write('alert', `uncaught exception: ${oneLine(error)}`);
  exit(1);
});

const send = (message: FromWorker): void => {
  // The primary may be gone: `disconnect` deals with it.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
};
const host = { send, exit, dropPrivileges };
// Messages that come while the parts are made wait for them, in order.
const worker = makeWorkerParts({ host, log, logFiles, isInProcess: false }).then((parts) => new Worker(host, parts));

const onWorker = (act: (worker: Worker) => unknown): void => {
  worker.then(act).catch((error: unknown) => {
    setImmediate(() => {
      throw error;
    });
  });
};

process.on('message', (message, handle) => {
  onWorker((it) => it.receive(message as ToWorker, handle as unknown as ListenHandle | undefined));
});
process.on('disconnect', () => onWorker((it) => it.quit(ORPHAN_TIMEOUT_MS)));
// A terminal's Ctrl-C goes to the whole group; an operator may also signal a worker by itself.
process.on('SIGTERM', () => onWorker((it) => it.stop()));
process.on('SIGINT', () => onWorker((it) => it.stop()));
process.on('SIGQUIT', () => onWorker((it) => it.quit()));
process.on('SIGUSR1', () => onWorker((it) => it.reopenLogs()));
for (const signal of ['SIGHUP', 'SIGWINCH', 'SIGUSR2'] as const) process.on(signal, () => undefined);
