import { createHash, timingSafeEqual } from 'node:crypto';
import { cryptMd5 } from './crypt-md5.ts';
import { cryptSha } from './crypt-sha.ts';

/** crypt(3) takes no longer ones; the work of `$5$` and `$6$` grows with the square of the length. */
const MAX_PASSWORD_BYTES = 511;
const SHA1_BYTES = 20;

/** Whether the password (a byte string) is the one that `stored`, of an htpasswd file, stands for. 'unsupported': nobody can tell. */
export function checkPassword(password: string, stored: string): boolean | 'unsupported' {
  const key = Buffer.from(password, 'latin1');
  if (stored.startsWith('{PLAIN}')) return isSame(key, Buffer.from(stored.slice('{PLAIN}'.length), 'latin1'));
  if (stored.startsWith('{SHA}')) return isSame(sha1(key), Buffer.from(stored.slice('{SHA}'.length), 'base64'));
  if (stored.startsWith('{SSHA}')) {
    const both = Buffer.from(stored.slice('{SSHA}'.length), 'base64');
    return isSame(sha1(key, both.subarray(SHA1_BYTES)), both.subarray(0, SHA1_BYTES));
  }
  const made = crypted(key, stored);
  if (made === null) return 'unsupported';
  return key.length <= MAX_PASSWORD_BYTES && isSame(Buffer.from(made(), 'latin1'), Buffer.from(stored, 'latin1'));
}

function crypted(key: Buffer, stored: string): (() => string) | null {
  const md5 = /^(\$apr1\$|\$1\$)([^$]{0,8})/.exec(stored);
  if (md5 !== null) {
    const [start, magic = '', salt = ''] = md5;
    return () => `${start}$${cryptMd5(key, Buffer.from(salt, 'latin1'), magic === '$1$' ? '$1$' : '$apr1$')}`;
  }
  if (!/^\$[56]\$/.test(stored)) return null;
  return () => cryptSha(key, stored) ?? '';
}

function sha1(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Takes as long for any two of the same length. */
function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
