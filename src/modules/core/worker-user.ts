import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Whom the workers run as. */
export interface WorkerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface Account {
  readonly id: number;
  /** A user's own group; of a group: its id again. */
  readonly gid: number;
}

/** A user by name: from /etc/passwd, else as the system's name service knows it. Null: nobody. */
export function findUser(name: string): Account | null {
  return findEntry('passwd', name);
}

/** A group by name. Null: there is none. */
export function findGroup(name: string): Account | null {
  return findEntry('group', name);
}

/** Both data bases: name, password, id, … with the own group in the fourth field of a user. */
function findEntry(database: 'passwd' | 'group', name: string): Account | null {
  const fields = entryOf(readDatabase(database), name) ?? entryOf(askNameService(database, name), name);
  if (fields === null) return null;
  const id = Number(fields[2]);
  return { id, gid: database === 'passwd' ? Number(fields[3]) : id };
}

function entryOf(text: string, name: string): readonly string[] | null {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name}:`));
  return line === undefined ? null : line.split(':');
}

function readDatabase(database: string): string {
  try {
    return readFileSync(`/etc/${database}`, 'latin1');
  } catch {
    return ''; // a container without it: the name service is asked
  }
}

function askNameService(database: string, name: string): string {
  if (name.startsWith('-')) return '';
  const asked = spawnSync('getent', [database, name], { encoding: 'latin1', timeout: 5000 });
  return asked.stdout ?? '';
}
