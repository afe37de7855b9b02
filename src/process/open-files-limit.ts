import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Log } from '../observe/error-log.ts';

/**
 * `worker_rlimit_nofile`. Node raises the soft limit to the hard one when it starts, so a number up to that needs nothing. Beyond it needs root,
 * and since Node has no setrlimit(2), prlimit(1) of util-linux; workers inherit it.
 */
export function raiseOpenFilesLimit(limit: number, log: Log): void {
  if (limit === 0 || limit <= hardLimit()) return;
  try {
    execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${limit}:${limit}`], { stdio: 'ignore' });
  } catch {
    log.write('alert', `setrlimit(RLIMIT_NOFILE, ${limit}) failed (1: Operation not permitted)`);
  }
}

function hardLimit(): number {
  try {
    const line = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return line?.[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(line?.[1] ?? 0);
  } catch {
    return Number.POSITIVE_INFINITY; // no /proc: nothing can be said or done
  }
}
