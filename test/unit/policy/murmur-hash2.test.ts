import { expect, test } from 'vitest';
import { murmurHash2 } from '../../../src/policy/murmur-hash2.ts';

test.each([
  ['', 0],
  ['a', 2456313694],
  ['ab', 446775395],
  ['abc', 324500635],
  ['abcd', 646393889],
  ['abcde', 1594468574],
  ['0123456789', 439272720],
  ['\xff\xfe\xfd\xfc\xfb', 4209270460],
])('%j', (text, hash) => {
  expect(murmurHash2(text)).toBe(hash);
});
