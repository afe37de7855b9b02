import { constants } from 'node:os';

/** strerror(3)'s words for what sockets and processes can say; Node has libuv's, which differ. */
const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  EAGAIN: 'Resource temporarily unavailable',
  ECONNABORTED: 'Software caused connection abort',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EHOSTUNREACH: 'No route to host',
  EINVAL: 'Invalid argument',
  EMFILE: 'Too many open files',
  ENAMETOOLONG: 'File name too long',
  ENETUNREACH: 'Network is unreachable',
  ENFILE: 'Too many open files in system',
  ENOBUFS: 'No buffer space available',
  ENOENT: 'No such file or directory',
  ENOMEM: 'Cannot allocate memory',
  ENOTDIR: 'Not a directory',
  ENOTSOCK: 'Socket operation on non-socket',
  EPERM: 'Operation not permitted',
  EPIPE: 'Broken pipe',
  ESRCH: 'No such process',
  ETIMEDOUT: 'Connection timed out',
};

const NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number as number, name]));

/** `98: Address already in use` for an error's code (`EADDRINUSE`) or number (98, or libuv's -98): how nginx ends a failed system call's text. */
export function strerror(error: string | number): string {
  const number = typeof error === 'number' ? Math.abs(error) : (constants.errno as Record<string, number>)[error];
  const name = typeof error === 'number' ? NAMES.get(Math.abs(error)) : error;
  if (number === undefined) return String(error);
  return `${number}: ${WORDS[name ?? ''] ?? name ?? 'Unknown error'}`;
}
