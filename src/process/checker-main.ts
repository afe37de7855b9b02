/** The program of the process that makes health checks: `checker-main TITLE PREFIX`. */

import { LogFiles } from '../observe/log-files.ts';
import { Checker } from './checker.ts';
import type { FromChecker, ToChecker } from './checker-messages.ts';
import { dropPrivileges } from './drop-privileges.ts';
import { MainLog } from './main-log.ts';
import { oneLine } from './one-line.ts';

const [title = 'evenkeel', prefix = '/'] = process.argv.slice(2);
process.title = `${title}: health check process`;

const logFiles = new LogFiles(prefix);
process.on('uncaughtException', (error) => {
  // Said by the primary, whose log outlives this.
  const fault: FromChecker = { type: 'fault', text: `uncaught exception: ${oneLine(error)}` };
  if (process.connected) process.send?.(fault, undefined, undefined, () => process.exit(1));
  else process.exit(1);
});

const send = (message: FromChecker): void => {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
};
const checker = new Checker({ send, dropPrivileges }, { logFiles, log: new MainLog(null) });

// One after the other: a configuration is not overtaken by the next.
let work: Promise<void> = Promise.resolve();
process.on('message', (message) => {
  work = work
    .then(() => checker.receive(message as ToChecker))
    .catch((error: unknown) => {
      setImmediate(() => {
        throw error;
      });
    });
});
process.on('disconnect', () => {
  checker.stop();
  process.exit(0);
});
// A terminal's Ctrl-C and the like go to the whole group: the primary decides when this ends.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGWINCH', 'SIGUSR1', 'SIGUSR2'] as const) {
  process.on(signal, () => undefined);
}
