import { expect, test } from 'vitest';
import { addressTextOf } from '../../../src/http/address-text.ts';
import { forwardedAddress, parseAddressPort } from '../../../src/http/forwarded-address.ts';
import { parseNetwork } from '../../../src/http/network.ts';
import { addressBytes } from '../../../src/http/variables/address-bytes.ts';

const TRUSTED = {
  networks: ['10.0.0.0/8', '2001:db8::/32'].flatMap((text) => parseNetwork(text) ?? []),
  trustsUnix: true,
};

function real(from: string | null, fields: readonly string[], isRecursive: boolean): string | null {
  const found = forwardedAddress(from === null ? null : addressBytes(from), fields, TRUSTED, isRecursive);
  return found === null ? null : `${addressTextOf(found.address)} ${found.port}`;
}

test.each<[string, string | null, readonly string[], string | null, string | null]>([
  // what, from, fields, without and with recursion
  ['one address', '10.0.0.1', ['1.1.1.1'], '1.1.1.1 0', '1.1.1.1 0'],
  ['not trusted', '11.0.0.1', ['1.1.1.1'], null, null],
  ['a unix socket', null, ['1.1.1.1'], '1.1.1.1 0', '1.1.1.1 0'],
  ['a mapped address', '::ffff:10.0.0.1', ['1.1.1.1'], '1.1.1.1 0', '1.1.1.1 0'],
  ['several', '10.0.0.1', ['1.1.1.1, 2.2.2.2'], '2.2.2.2 0', '2.2.2.2 0'],
  ['several, trusted ones at the end', '10.0.0.1', ['1.1.1.1, 2.2.2.2, 10.2.2.2, 10.1.1.1'], '10.1.1.1 0', '2.2.2.2 0'],
  ['all trusted', '10.0.0.1', ['10.3.3.3, 10.2.2.2'], '10.2.2.2 0', '10.3.3.3 0'],
  ['several fields', '10.0.0.1', ['1.1.1.1', '2.2.2.2, 10.1.1.1'], '10.1.1.1 0', '2.2.2.2 0'],
  ['several fields, the last all trusted', '10.0.0.1', ['1.1.1.1', '10.1.1.1'], '10.1.1.1 0', '1.1.1.1 0'],
  ['blanks and commas around', '10.0.0.1', [' 1.1.1.1 ,, , '], null, null],
  ['blanks and commas behind', '10.0.0.1', ['1.1.1.1 ,, , '], '1.1.1.1 0', '1.1.1.1 0'],
  ['blanks between', '10.0.0.1', ['1.1.1.1 2.2.2.2'], '2.2.2.2 0', '2.2.2.2 0'],
  ['nonsense', '10.0.0.1', ['unknown'], null, null],
  ['nonsense before what is trusted', '10.0.0.1', ['unknown, 10.1.1.1'], '10.1.1.1 0', '10.1.1.1 0'],
  ['nothing', '10.0.0.1', [''], null, null],
  ['a port', '10.0.0.1', ['1.1.1.1:80'], '1.1.1.1 80', '1.1.1.1 80'],
  ['IPv6', '10.0.0.1', ['2001:DB9::1'], '2001:db9::1 0', '2001:db9::1 0'],
  ['IPv6 with a port', '2001:db8::1', ['[2001:db9::1]:443'], '2001:db9::1 443', '2001:db9::1 443'],
])('%s', (_what, from, fields, plain, recursive) => {
  expect(real(from, fields, false)).toBe(plain);
  expect(real(from, fields, true)).toBe(recursive);
});

test.each([
  ['1.1.1.1:0', null],
  ['1.1.1.1:65536', null],
  ['1.1.1.1:', null],
  ['1.1.1.1:x', null],
  ['[::1]', null],
  ['[::1', null],
  ['[::1]:80', '::1 80'],
  ['[1.1.1.1]:80', '1.1.1.1 80'],
  ['', null],
  ['::1%eth0', null],
  ['1.1.1', null],
  ['1.1.1.256', null],
  ['255.255.255.255', null],
  ['010.001.1.1', '10.1.1.1 0'],
])('an address as nginx reads it: %s', (text, expected) => {
  const found = parseAddressPort(text);
  expect(found === null ? null : `${addressTextOf(found.address)} ${found.port}`).toBe(expected);
});
