import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats, statSync } from 'node:fs';
import { systemErrorText } from '../../config/system-error.ts';

/** `disable_symlinks`: none are followed, or only those whose owner is that of what they lead to. */
export const SYMLINK_RULES = ['off', 'on', 'if_not_owner'] as const;
export type SymlinkRule = (typeof SYMLINK_RULES)[number];

/** Which links of one path are looked at. */
export interface SymlinkCheck {
  readonly rule: SymlinkRule;
  /** Bytes at the path's begin that are not looked at (`from=`). */
  readonly trustedLength: number;
}

export const ALL_LINKS: SymlinkCheck = { rule: 'off', trustedLength: 0 };

export interface OpenedFile {
  readonly fd: number;
  readonly stats: Stats;
}

/** Why a file could not be opened or looked at. */
export interface FileFailure {
  /** `ENOENT` and kin. */
  readonly code: string;
  /** For the log: `open() "/path" failed (2: No such file or directory)`. */
  readonly text: string;
  /** The part in parentheses. */
  readonly reason: string;
}

export type Opened = OpenedFile | FileFailure;

export function isFailure<T extends object>(result: T | FileFailure): result is FileFailure {
  return 'code' in result;
}

/** Linux's: a descriptor that only names a file. Node has no word for it. */
const O_PATH = 0o10_000_000;
const READ = constants.O_RDONLY | constants.O_NONBLOCK;
const DIRECTORY = O_PATH | constants.O_DIRECTORY;

/**
 * Opens a file or directory for reading; the caller closes it. Synchronous, as in nginx without aio: what is asked for is mostly in the
 * page cache, and a descriptor is never left in a callback that nobody waits for.
 */
export function openFile(path: string, links: SymlinkCheck): Opened {
  return guarded(path, links.rule === 'off' ? 'open()' : 'openat()', () => {
    const fd = links.rule === 'off' ? openSync(bytes(path), READ) : openWithin(path, links, READ);
    return withStats(fd);
  });
}

/** Looks at it without opening. */
export function statFile(path: string, links: SymlinkCheck): Stats | FileFailure {
  return guarded(path, links.rule === 'off' ? 'stat()' : 'openat()', () => {
    if (links.rule === 'off') return statSync(bytes(path));
    const { fd, stats } = withStats(openWithin(path, links, O_PATH));
    closeSync(fd);
    if (stats.isSymbolicLink()) throw failure('ELOOP');
    return stats;
  });
}

function withStats(fd: number): OpenedFile {
  try {
    return { fd, stats: fstatSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function guarded<T extends object>(path: string, call: string, action: () => T): T | FileFailure {
  try {
    // The system would stop reading there.
    if (path.includes('\0')) throw failure('ENOENT');
    return action();
  } catch (error) {
    const reason = systemErrorText(error);
    return { code: (error as NodeJS.ErrnoException).code ?? '', text: `${call} "${path}" failed (${reason})`, reason };
  }
}

/**
 * Opens the path part by part, each below the descriptor of the one before, so that nobody can put a link in place of a directory in between.
 * `/proc/self/fd/N/name` is openat(2) for those who don't have it.
 */
function openWithin(path: string, { rule, trustedLength }: SymlinkCheck, flags: number): number {
  const parts = path
    .slice(trustedLength)
    .split('/')
    .filter((part) => part !== '');
  // A slash at the end: the directory itself.
  const last = path.endsWith('/') ? '.' : (parts.pop() ?? '.');
  let at = openSync(trustedLength > 0 ? bytes(path.slice(0, trustedLength)) : '/', DIRECTORY);
  try {
    for (const part of parts) {
      const next = openBelow(at, part, rule, DIRECTORY);
      closeSync(at);
      at = next;
    }
    return openBelow(at, last, rule, flags);
  } finally {
    closeSync(at);
  }
}

function openBelow(at: number, name: string, rule: SymlinkRule, flags: number): number {
  const path = bytes(`/proc/self/fd/${at}/${name}`);
  if (rule === 'on') return openSync(path, flags | constants.O_NOFOLLOW);
  const fd = openSync(path, flags);
  try {
    if (lstatSync(path).uid !== fstatSync(fd).uid) throw failure('ELOOP');
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function bytes(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}
