import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { writeStderr } from '../observe/stderr.ts';

/** Set in the environment of the process that is to be the daemon; it tells by IPC when it is ready. */
const MARK = 'EVENKEEL_DAEMON';

/** True in the background process that `daemonize` started. */
export const isDaemon = process.env[MARK] === '1' && process.send !== undefined;
// Not for the workers.
delete process.env[MARK];

/** What the background process tells the one in the foreground. */
type DaemonMessage = { readonly stderr: string } | { readonly isReady: true };

/**
 * `daemon on`: starts this very program again, in a session of its own, and waits until it serves or ends.
 * Resolves the exit code for this process: 0, or that of the failed start. What it has to say until then is seen here; its own stderr is the
 * error log, as nginx's, so that nobody waits for the end of a pipe and a crash leaves its trace. `stderr`: it keeps this process's own.
 */
export function daemonize(errorLog: string): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio: ['ignore', 'ignore', stderrOf(errorLog), 'ipc'],
    env: { ...process.env, [MARK]: '1' },
  });
  return new Promise((resolve) => {
    child.on('message', (message: DaemonMessage) => {
      if ('stderr' in message) {
        writeStderr(message.stderr);
        return;
      }
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
  send({ isReady: true }, () => process.disconnect?.());
}

/** Says something to who started the program: on stderr, in the background by way of the foreground. */
export function sayToStarter(text: string): void {
  if (isDaemon && process.connected) send({ stderr: text });
  else writeStderr(text);
}

function send(message: DaemonMessage, sent: () => void = () => undefined): void {
  process.send?.(message, undefined, undefined, sent);
}

function stderrOf(errorLog: string): number | 'inherit' | 'ignore' {
  if (errorLog === 'stderr') return 'inherit';
  try {
    return openSync(Buffer.from(errorLog, 'latin1'), 'a', 0o644);
  } catch {
    return 'ignore'; // said already when the log was opened for the first time
  }
}
