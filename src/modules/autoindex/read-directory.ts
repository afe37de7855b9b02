import type { Dir, Stats } from 'node:fs';
import { lstat, opendir, stat } from 'node:fs/promises';
import { systemErrorText } from '../../config/system-error.ts';
import type { DirectoryEntry } from './directory-entry.ts';

/** So many entries are looked at at once; other users of libuv's thread pool get their turn in between. */
const BATCH = 64;

/** A system call on a directory or an entry of it that failed. */
export class DirectoryError extends Error {
  /** `ENOENT` and kin. */
  readonly code: string;

  constructor(call: string, path: string, cause: unknown) {
    super(`${call} "${path}" failed (${systemErrorText(cause)})`, { cause });
    this.code = codeOf(cause);
  }
}

/** Opens a directory; the caller closes it. Throws DirectoryError. */
export async function openDirectory(path: string): Promise<Dir> {
  try {
    // A name that the system would read only up to its NUL.
    if (path.includes('\0')) throw Object.assign(new Error('NUL'), { code: 'ENOENT' });
    return await opendir(Buffer.from(path, 'latin1') as unknown as string, { encoding: 'latin1', bufferSize: BATCH });
  } catch (error) {
    throw new DirectoryError('opendir()', path, error);
  }
}

/**
 * What is in the directory, but for what begins with a dot, in no order. Off the event loop, batch by batch; ends early when `isWanted` says no.
 * `onSkipped` hears of what may not be looked at. Throws DirectoryError.
 */
export async function readDirectory(
  directory: Dir,
  path: string,
  isWanted: () => boolean,
  onSkipped: (failure: DirectoryError) => void,
): Promise<DirectoryEntry[]> {
  const entries: DirectoryEntry[] = [];
  let names: string[] = [];
  const look = async (): Promise<void> => {
    const batch = names;
    names = [];
    const found = await Promise.all(batch.map((name) => entryOf(path, name)));
    for (const one of found) {
      if (one instanceof DirectoryError) onSkipped(one);
      else entries.push(one);
    }
  };
  while (isWanted()) {
    const name = await nextName(directory, path);
    if (name === null) break;
    if (name.startsWith('.')) continue;
    names.push(name);
    if (names.length === BATCH) await look();
  }
  await look();
  return entries;
}

async function nextName(directory: Dir, path: string): Promise<string | null> {
  try {
    return (await directory.read())?.name ?? null;
  } catch (error) {
    throw new DirectoryError('readdir()', path, error);
  }
}

/** A DirectoryError as the result: it may not be looked at, and is left out. */
async function entryOf(directory: string, name: string): Promise<DirectoryEntry | DirectoryError> {
  const path = `${directory}/${name}`;
  const bytes = Buffer.from(path, 'latin1');
  try {
    return entry(name, await stat(bytes));
  } catch (error) {
    const failure = new DirectoryError('stat()', path, error);
    if (failure.code === 'EACCES') return failure;
    if (failure.code !== 'ENOENT' && failure.code !== 'ELOOP') throw failure;
  }
  try {
    // A link that leads nowhere stands for itself.
    return entry(name, await lstat(bytes));
  } catch (error) {
    throw new DirectoryError('lstat()', path, error);
  }
}

function entry(name: string, stats: Stats): DirectoryEntry {
  const type = stats.isDirectory() ? 'directory' : stats.isFile() ? 'file' : 'other';
  return { name, type, modifiedSec: Math.floor(stats.mtimeMs / 1000), sizeBytes: stats.size };
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
