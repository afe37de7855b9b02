import { createHash } from 'node:crypto';
import { cryptBase64 } from './crypt-base64.ts';

const DEFAULT_ROUNDS = 5000;
const MIN_ROUNDS = 1000;
const MAX_ROUNDS = 999_999_999;
const MAX_SALT_BYTES = 16;

type Algorithm = 'sha256' | 'sha512';

/**
 * crypt(3)'s `$5$` and `$6$`: SHA-256 or SHA-512 as Ulrich Drepper's specification has it.
 * `setting`: `$6$salt$…` or `$6$rounds=N$salt$…`. Gives the whole text; null: the setting is none.
 */
export function cryptSha(password: Buffer, setting: string): string | null {
  const parts = /^(\$([56])\$)(?:rounds=([0-9]{1,10})\$)?([^$]*)/.exec(setting);
  if (parts === null) return null;
  const [, magic = '', digit, roundsText, saltText = ''] = parts;
  const algorithm = digit === '5' ? 'sha256' : 'sha512';
  const salt = Buffer.from(saltText, 'latin1').subarray(0, MAX_SALT_BYTES);
  const rounds =
    roundsText === undefined ? DEFAULT_ROUNDS : Math.min(Math.max(Number(roundsText), MIN_ROUNDS), MAX_ROUNDS);
  const digest = stretched(algorithm, password, salt, rounds);
  const said = roundsText === undefined ? '' : `rounds=${rounds}$`;
  return `${magic}${said}${salt.toString('latin1')}$${cryptBase64(digest, algorithm === 'sha256' ? ORDER_256 : ORDER_512)}`;
}

function hash(algorithm: Algorithm, ...parts: readonly Buffer[]): Buffer {
  const one = createHash(algorithm);
  for (const part of parts) one.update(part);
  return one.digest();
}

function stretched(algorithm: Algorithm, password: Buffer, salt: Buffer, rounds: number): Buffer {
  const inner = hash(algorithm, password, salt, password);
  const parts = [password, salt, filled(inner, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) parts.push((bits & 1) === 1 ? inner : password);
  let digest = hash(algorithm, ...parts);

  const passwords = Array.from({ length: password.length }, () => password);
  const p = filled(hash(algorithm, ...passwords), password.length);
  const salts = Array.from({ length: 16 + (digest[0] ?? 0) }, () => salt);
  const s = filled(hash(algorithm, ...salts), salt.length);

  for (let round = 0; round < rounds; round++) {
    const isOdd = (round & 1) === 1;
    const mixed = [isOdd ? p : digest];
    if (round % 3 !== 0) mixed.push(s);
    if (round % 7 !== 0) mixed.push(p);
    mixed.push(isOdd ? digest : p);
    digest = hash(algorithm, ...mixed);
  }
  return digest;
}

/** The bytes again and again, `length` in all. */
function filled(bytes: Buffer, length: number): Buffer {
  return Buffer.alloc(length, bytes);
}

/** Groups of three bytes; each next group takes the byte after, in turn. */
function order(size: number, step: number, last: readonly number[]): readonly (readonly number[])[] {
  const third = Math.floor(size / 3);
  const groups: (readonly number[])[] = [];
  for (let i = 0; i < third; i++) {
    const columns = [i, i + third, i + 2 * third];
    const shift = (i * step) % 3;
    groups.push([0, 1, 2].map((at) => columns[(at + shift) % 3] ?? 0));
  }
  return [...groups, last];
}

const ORDER_256 = order(32, 2, [31, 30]);
const ORDER_512 = order(64, 1, [63]);
