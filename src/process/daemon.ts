import { spawn } from 'node:child_process';

/** Set in the environment of the process that is to be the daemon; it tells by IPC when it is ready. */
const MARK = 'EVENKEEL_DAEMON';

/** True in the background process that `daemonize` started. */
export const isDaemon = process.env[MARK] === '1' && process.send !== undefined;
// Not for the workers.
delete process.env[MARK];

/**
 * `daemon on`: starts this very program again, in a session of its own, and waits until it serves or ends.
 * Resolves the exit code for this process: 0, or that of the failed start. Its stderr is ours until it is ready, so its errors are seen here.
 */
export function daemonize(): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, [MARK]: '1' },
  });
  return new Promise((resolve) => {
    child.once('message', () => {
      child.disconnect();
      child.unref();
      resolve(0);
    });
    child.once('error', () => resolve(1));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** Lets the program that waits in the foreground go. */
export function tellReady(): void {
  if (!isDaemon) return;
  process.send?.('ready', () => process.disconnect?.());
}
