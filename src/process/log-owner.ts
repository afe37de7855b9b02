import type { WorkerUser } from '../modules/core/worker-user.ts';
import type { LogFiles } from '../observe/log-files.ts';

/** Log files that root made become the workers' own, so that they can open them anew; as nginx does on USR1. */
export function handLogsOver(files: LogFiles, user: WorkerUser | null): void {
  if (user !== null && process.geteuid?.() === 0) files.giveTo(user.uid);
}
