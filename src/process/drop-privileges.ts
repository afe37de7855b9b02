import { strerror } from '../core/strerror.ts';
import type { WorkerUser } from '../modules/core/worker-user.ts';

/** In Node's documentation, not in its types. */
const { initgroups } = process as unknown as { initgroups: (user: string, group: number) => void };

/** Becomes the worker's user for good. Throws with nginx's text when it can't. */
export function dropPrivileges(user: WorkerUser | null): void {
  if (user === null || process.geteuid?.() !== 0) return;
  attempt(`setgid(${user.gid})`, () => process.setgid?.(user.gid));
  attempt(`initgroups(${user.name}, ${user.gid})`, () => initgroups(user.name, user.gid));
  attempt(`setuid(${user.uid})`, () => process.setuid?.(user.uid));
}

function attempt(call: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    throw new Error(`${call} failed (${strerror((error as NodeJS.ErrnoException).code ?? String(error))})`);
  }
}
