/** The program of the process that makes health checks: `checker-main TITLE PREFIX`. */

import { LogFiles } from '../observe/log-files.ts';
import { Checker } from './checker.ts';
import type { FromChecker, ToChecker } from './checker-messages.ts';
import { dropPrivileges } from './drop-privileges.ts';
import { MainLog } from './main-log.ts';

const [title = 'evenkeel', prefix = '/'] = process.argv.slice(2);
process.title = `${title}: health check process`;

const logFiles = new LogFiles(prefix);
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
      // Whoever started us sees it in its log, and starts another.
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
