import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { tempFolder } from './temp-folder.ts';

/** For child_process: who runs a service. */
export interface ServiceUser {
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL refuses to run as root: where the tests do, its own user (Debian's package makes one) takes over. Else whoever runs the tests. */
export function serviceUser(name: string): ServiceUser {
  if (process.getuid?.() !== 0) return {};
  const number = (flag: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  return { uid: number('-u'), gid: number('-g') };
}

/** A new folder in the system's temporary one that this user may write to. Whoever asks for it removes it. */
export function serviceFolder(name: string, user: ServiceUser): string {
  const folder = tempFolder(name);
  giveTo(folder, user);
  return folder;
}

/** Makes the user the owner of a file or folder. */
export function giveTo(path: string, { uid, gid }: ServiceUser): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}
