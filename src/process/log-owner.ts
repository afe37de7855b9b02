import { chownSync, statSync } from 'node:fs';
import type { WorkerUser } from '../modules/core/worker-user.ts';
import type { LogFiles } from '../observe/log-files.ts';

/** Log files that root made become the workers' own, so that they can open them anew; as nginx does on USR1. */
export function handLogsOver(files: LogFiles, user: WorkerUser | null): void {
  if (user === null || process.geteuid?.() !== 0) return;
  for (const path of files.paths()) {
    const name = Buffer.from(path, 'latin1');
    try {
      const stat = statSync(name);
      if (stat.isFile() && stat.uid !== user.uid) chownSync(name, user.uid, -1);
    } catch {
      // removed meanwhile, or on a file system without owners: the worker says so when it can't open it
    }
  }
}
