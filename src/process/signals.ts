import { isatty } from 'node:tty';
import type { Log } from '../observe/error-log.ts';
import type { Primary } from './primary.ts';

/** nginx's words for what a signal makes it do. */
const MEANINGS = [
  ['SIGHUP', 1, 'reconfiguring', (primary: Primary) => primary.reload()],
  ['SIGINT', 2, 'exiting', (primary: Primary) => primary.stop()],
  ['SIGQUIT', 3, 'shutting down', (primary: Primary) => primary.quit()],
  ['SIGUSR1', 10, 'reopening logs', (primary: Primary) => primary.reopen()],
  ['SIGTERM', 15, 'exiting', (primary: Primary) => primary.stop()],
] as const;

/** From here on the primary obeys nginx's signals. */
export function obeySignals(primary: Primary, log: Log): void {
  for (const [signal, number, action, act] of MEANINGS) {
    process.on(signal, () => {
      log.write('notice', `signal ${number} (${signal}) received, ${action}`);
      act(primary);
    });
  }
  process.on('SIGWINCH', () => {
    // A terminal whose window changes its size sends it too; nginx in the foreground ignores it for that reason.
    if ([0, 1, 2].some((fd) => isatty(fd))) return;
    log.write('notice', 'signal 28 (SIGWINCH) received, shutting down worker processes');
    primary.drainWorkers();
  });
  // nginx upgrades its program on it; its default here would be the end of the process.
  process.on('SIGUSR2', () => log.write('notice', 'signal 12 (SIGUSR2) received, ignoring'));
}
