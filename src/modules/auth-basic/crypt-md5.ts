import { createHash } from 'node:crypto';
import { cryptBase64 } from './crypt-base64.ts';

const ROUNDS = 1000;
/** Which bytes of the digest stand together in the text. */
const ORDER = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5], [11]] as const;

function md5(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** The text behind `$apr1$salt$` (Apache) or `$1$salt$` (crypt): MD5, made slow by a thousand rounds. */
export function cryptMd5(password: Buffer, salt: Buffer, magic: '$apr1$' | '$1$'): string {
  const inner = md5(password, salt, password);
  const parts = [password, Buffer.from(magic), salt];
  for (let left = password.length; left > 0; left -= inner.length) parts.push(inner.subarray(0, left));
  for (let bits = password.length; bits > 0; bits >>= 1)
    parts.push((bits & 1) === 1 ? Buffer.alloc(1) : password.subarray(0, 1));
  let digest = md5(...parts);
  for (let round = 0; round < ROUNDS; round++) {
    const isOdd = (round & 1) === 1;
    const mixed = [isOdd ? password : digest];
    if (round % 3 !== 0) mixed.push(salt);
    if (round % 7 !== 0) mixed.push(password);
    mixed.push(isOdd ? digest : password);
    digest = md5(...mixed);
  }
  return cryptBase64(digest, ORDER);
}
