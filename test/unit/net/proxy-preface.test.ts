import { describe, expect, test } from 'vitest';
import { readProxyPreface } from '../../../src/net/proxy-preface.ts';

const MOST = 1024;
const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';

function v2(command: number, family: number, rest: string): string {
  return `${SIGNATURE}${String.fromCharCode(command, family, rest.length >> 8, rest.length & 0xff)}${rest}`;
}

const INET = '\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb';
const INET6 = `\x20\x01\x0d\xb8${'\0'.repeat(11)}\x01\x20\x01\x0d\xb8${'\0'.repeat(11)}\x02\xdc\x04\x01\xbb`;
const CLIENT = {
  clientAddress: '192.0.2.1',
  clientPort: 56_324,
  serverAddress: '192.0.2.2',
  serverPort: 443,
  tlvs: '',
};

const WHOLE: readonly (readonly [what: string, header: string, info: object | null])[] = [
  ['TCP4', 'PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n', CLIENT],
  [
    'TCP6',
    'PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n',
    { ...CLIENT, clientAddress: '2001:db8::1', serverAddress: '2001:db8::2' },
  ],
  ['UNKNOWN', 'PROXY UNKNOWN\r\n', null],
  ['UNKNOWN with addresses', 'PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n', null],
  ['version 2, IPv4', v2(0x21, 0x11, INET), CLIENT],
  ['version 2, IPv6', v2(0x21, 0x21, INET6), { ...CLIENT, clientAddress: '2001:db8::1', serverAddress: '2001:db8::2' }],
  ['version 2, with TLVs', v2(0x21, 0x11, `${INET}\x01\x00\x02h2`), { ...CLIENT, tlvs: '\x01\x00\x02h2' }],
  ['version 2, LOCAL', v2(0x20, 0x00, ''), null],
  ['version 2, LOCAL with something', v2(0x20, 0x11, INET), null],
  ['version 2, UDP', v2(0x21, 0x12, INET), null],
  ['version 2, unix', v2(0x21, 0x31, 'x'.repeat(216)), null],
];

const REFUSED: readonly (readonly [what: string, bytes: string, reason: string])[] = [
  ['a request', 'GET / HTTP/1.1\r\nHost: a\r\n', 'broken header: "GET / HTTP/1.1"'],
  ['one wrong byte', 'PROXX', 'broken header: "PROXX"'],
  ['TCP5', 'PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n', 'broken header: "PROXY TCP5 1.1.1.1 2.2.2.2 1 2"'],
  ['no ports', 'PROXY TCP4 1.1.1.1 2.2.2.2\r\n', 'broken header: "PROXY TCP4 1.1.1.1 2.2.2.2"'],
  ['a port too large', 'PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n', 'broken header: "PROXY TCP4 1.1.1.1 2.2.2.2 65536 2"'],
  ['a port that is none', 'PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n', 'broken header: "PROXY TCP4 1.1.1.1 2.2.2.2 -1 2"'],
  ['an address that is none', 'PROXY TCP4 1.1.1.x 2.2.2.2 1 2\r\n', 'broken header: "PROXY TCP4 1.1.1.x 2.2.2.2 1 2"'],
  ['a line that ends in LF', 'PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n', 'broken header: "PROXY TCP4 1.1.1.1 2.2.2.2 1 2"'],
  [
    'something behind the ports',
    'PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n',
    'broken header: "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 "',
  ],
  ['a line without an end', `PROXY TCP4 ${'1'.repeat(2000)}`, `broken header: "PROXY TCP4 ${'1'.repeat(1013)}"`],
  ['version 3', v2(0x31, 0x11, INET), 'unknown PROXY protocol version: 3'],
  ['longer than the buffer', v2(0x21, 0x11, INET + 'x'.repeat(1000)), 'header is too large'],
  ['shorter than its addresses', v2(0x21, 0x21, INET), ''],
];

describe('a PROXY protocol header', () => {
  test.each(WHOLE)('%s', (_what, header, info) => {
    expect(readProxyPreface(header, MOST)).toEqual({ kind: 'whole', end: header.length, info });
    expect(readProxyPreface(`${header}GET / HTTP/1.1\r\n`, MOST)).toEqual({ kind: 'whole', end: header.length, info });
  });

  test.each(WHOLE)('%s, not whole: more is awaited at every byte', (_what, header) => {
    for (let length = 0; length < header.length; length++) {
      expect(readProxyPreface(header.slice(0, length), MOST)).toEqual({ kind: 'more' });
    }
  });

  test.each(REFUSED)('refused: %s', (_what, bytes, reason) => {
    expect(readProxyPreface(bytes, MOST)).toEqual({ kind: 'refused', reason });
  });
});
