import { expect, test } from 'vitest';
import { clientAddressBytes } from '../../../src/upstream/client-address.ts';

const ROOM = { ipv4Bytes: new Uint8Array(3), ipv6Bytes: new Uint8Array(16) };

test.each([
  ['1.2.3.4', '010203'],
  ['255.254.253.0', 'fffefd'],
  ['::1', '00000000000000000000000000000001'],
  ['::', '00000000000000000000000000000000'],
  ['2001:db8::ff00:42:8329', '20010db8000000000000ff0000428329'],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ['fe80::1%eth0', 'fe800000000000000000000000000001'],
  ['::ffff:10.0.0.1', '00000000000000000000ffff0a000001'],
  // a unix socket, or no address at all
  ['unix:', '000000'],
  ['', '000000'],
  ['1.2', '000000'],
  ['1:2:3', '000000'],
])('ip_hash reads of %s: %s', (address, hex) => {
  expect(Buffer.from(clientAddressBytes(address, ROOM)).toString('hex')).toBe(hex);
});
