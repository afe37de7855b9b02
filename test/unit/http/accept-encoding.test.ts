import { expect, test } from 'vitest';
import { acceptsBrotli, acceptsGzip } from '../../../src/http/accept-encoding.ts';

// What nginx makes of the same values: test/differential/gzip.test.ts.
test.each([
  ['gzip', true],
  ['deflate, GZIP', true],
  ['x-gzip', false],
  ['gzip;q=0', false],
  ['gzip; q=0.001', true],
  ['gzip;q=0.0001', false],
  ['gzip;x=1', false],
  ['*', false],
  ['', false],
])('gzip by "%s": %s', (value, isAccepted) => {
  expect(acceptsGzip(value)).toBe(isAccepted);
});

test.each([
  ['br', true],
  ['gzip, deflate, br', true],
  ['gzip,br', true],
  ['BR', true],
  ['brotli', false],
  ['x-br', false],
  ['br;q=1', true],
  ['br;q=0', false],
  ['br;q=0, gzip', false],
  ['br; q = 0.0', false],
  ['br;q=0.000', false],
  ['br;q=0.001', true],
  ['br;q=0.5', true],
  ['br;level=4', true],
  ['br;q=05', false],
  ['abr, br', true],
  ['*', false],
  ['', false],
])('brotli by "%s": %s', (value, isAccepted) => {
  expect(acceptsBrotli(value)).toBe(isAccepted);
});
