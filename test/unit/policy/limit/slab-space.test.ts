import { expect, test } from 'vitest';
import { SlabSpace } from '../../../../src/policy/limit/slab-space.ts';

const K = 1024;

/** How many pieces of so many bytes a zone has room for. */
function room(zoneBytes: number, bytes: number): number {
  const space = new SlabSpace(zoneBytes);
  let count = 0;
  while (space.take(bytes)) count++;
  return count;
}

test.each([
  // A page of 4096 bytes has 64 chunks of 64 bytes; smaller chunks give some away for the map of the page.
  ['64 bytes', 32 * K, 64, 7 * 64],
  ['just above 64', 32 * K, 65, 7 * 32],
  ['128 bytes', 32 * K, 128, 7 * 32],
  ['2048 bytes', 32 * K, 2048, 14],
  ['whole pages', 32 * K, 2049, 7],
  ['two pages', 32 * K, 5000, 3],
  ['32 bytes', 32 * K, 32, 7 * 127],
  ['16 bytes', 32 * K, 16, 7 * 254],
  ['8 bytes', 32 * K, 8, 7 * 504],
  ['one megabyte: as the manual says, about 8 thousand of 128 bytes', K * K, 128, 254 * 32],
  ['one megabyte: about 16 thousand of 64 bytes', K * K, 64, 254 * 64],
])('%s', (_what, zoneBytes, bytes, expected) => {
  expect(room(zoneBytes, bytes)).toBe(expected);
});

test('what is given back can be taken again, also in another size', () => {
  const space = new SlabSpace(32 * K);
  for (let i = 0; i < 7 * 64; i++) expect(space.take(64)).toBe(true);
  expect(space.take(128)).toBe(false);
  for (let i = 0; i < 63; i++) space.give(64);
  expect(space.take(128)).toBe(false); // the page is still in use
  space.give(64);
  expect(space.take(128)).toBe(true);
  expect(space.take(64)).toBe(false);
  space.give(128);
  expect(space.take(4096)).toBe(true);
  space.give(4096);
  expect(space.take(64)).toBe(true);
});
