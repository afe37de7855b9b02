import { expect, test } from 'vitest';
import { addressTextOf } from '../../../src/http/address-text.ts';
import { tlvReader } from '../../../src/http/proxy-protocol.ts';
import { addressBytes } from '../../../src/http/variables/address-bytes.ts';

function tlv(type: number, value: string): string {
  return `${String.fromCharCode(type, value.length >> 8, value.length & 0xff)}${value}`;
}

const SSL = tlv(0x20, `\x07\x00\x00\x01\x02${tlv(0x21, 'TLSv1.3')}${tlv(0x22, 'client.example')}`);
const ALL = tlv(0x01, 'h2') + tlv(0x02, 'name.example') + tlv(0x05, '\0\xff') + SSL + tlv(0xe0, 'own') + tlv(0x04, '');

test.each([
  ['alpn', 'h2'],
  ['authority', 'name.example'],
  ['unique_id', '\0\xff'],
  ['netns', null],
  ['0x01', 'h2'],
  ['0xe0', 'own'],
  ['0xE0', 'own'],
  ['0x04', ''],
  ['0x99', null],
  ['ssl_version', 'TLSv1.3'],
  ['ssl_cn', 'client.example'],
  ['ssl_0x22', 'client.example'],
  ['ssl_cipher', null],
  ['ssl_verify', '258'],
])('$proxy_protocol_tlv_%s', (name, expected) => {
  expect(tlvReader(name)(ALL)).toBe(expected);
  expect(tlvReader(name)('')).toBe(null);
});

test('names and records that are wrong are said', () => {
  expect(tlvReader('colour')(ALL)).toEqual({ failure: 'unknown PROXY protocol TLV "colour"' });
  expect(tlvReader('ssl_colour')(ALL)).toEqual({ failure: 'unknown PROXY protocol TLV "ssl_colour"' });
  expect(tlvReader('0xzz')(ALL)).toEqual({ failure: 'invalid PROXY protocol TLV "0xzz"' });
  for (const broken of ['\x09', '\x09\x00', '\x09\x00\x05abcd', `${tlv(9, 'a')}\x01\x00`]) {
    expect(tlvReader('alpn')(broken)).toEqual({ failure: 'broken PROXY protocol TLV' });
  }
  expect(tlvReader('ssl_cn')(tlv(0x20, 'abc'))).toBe(null);
});

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['2001:0db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['fe80:0:0:0:1:0:0:0', 'fe80::1:0:0:0'],
  ['::1:0:0:0:0', '0:0:0:1::'],
  ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
  ['::1.2.3.4', '::1.2.3.4'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ['0:0:1::', '0:0:1::'],
])('the text of %s', (address, expected) => {
  expect(addressTextOf(addressBytes(address))).toBe(expected);
});
