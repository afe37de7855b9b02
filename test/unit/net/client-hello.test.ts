import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NO_HELLO, readClientHello } from '../../../src/net/client-hello.ts';

const uint = (value: number, bytes: number): Buffer => {
  const out = Buffer.alloc(bytes);
  out.writeUIntBE(value, 0, bytes);
  return out;
};
const vector = (content: Buffer, lengthBytes: number): Buffer =>
  Buffer.concat([uint(content.length, lengthBytes), content]);
const numbers = (list: readonly number[]): Buffer => Buffer.concat(list.map((one) => uint(one, 2)));
const extension = (type: number, content: Buffer): Buffer => Buffer.concat([uint(type, 2), vector(content, 2)]);

const WHOLE = {
  serverName: 'www.example.org',
  ciphers: [0x1301, 0xc02b],
  groups: [29, 23],
  sessionId: '01'.repeat(32),
  ticket: Buffer.from('a ticket'),
  identity: Buffer.alloc(32, 9),
  offersTls13: true,
  asksForStatus: true,
  signatureAlgorithms: [0x0403, 0x0804],
};

function hello(name: string, ciphers: readonly number[], groups: readonly number[]): Buffer {
  const host = Buffer.concat([uint(0, 1), vector(Buffer.from(name, 'latin1'), 2)]);
  const extensions = Buffer.concat([
    extension(0, vector(host, 2)),
    extension(10, vector(numbers(groups), 2)),
    extension(5, Buffer.from([1, 0, 0, 0, 0])),
    extension(13, vector(numbers(WHOLE.signatureAlgorithms), 2)),
    extension(35, WHOLE.ticket),
    extension(43, vector(numbers([0x0303, 0x0304]), 1)),
    extension(41, Buffer.concat([vector(Buffer.concat([vector(WHOLE.identity, 2), uint(7, 4)]), 2), uint(0, 2)])),
  ]);
  const body = Buffer.concat([
    uint(0x0303, 2),
    Buffer.alloc(32, 7),
    vector(Buffer.alloc(32, 1), 1),
    vector(numbers(ciphers), 2),
    vector(Buffer.from([0]), 1),
    vector(extensions, 2),
  ]);
  return Buffer.concat([uint(1, 1), uint(body.length, 3), body]);
}

/** The message in records of at most so many bytes. */
function records(message: Buffer, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    parts.push(Buffer.concat([Buffer.from([22, 3, 1]), vector(message.subarray(at, at + size), 2)]));
  }
  return Buffer.concat(parts);
}

const MESSAGE = hello(WHOLE.serverName, WHOLE.ciphers, WHOLE.groups);

describe('a ClientHello', () => {
  test.each([1, 3, 50, 16_384])('in records of %i bytes: read when it is whole, and not before', (size) => {
    const bytes = records(MESSAGE, size);
    for (let length = 0; length < bytes.length; length++) {
      expect(readClientHello(bytes.subarray(0, length)).kind).toBe('more');
    }
    expect(readClientHello(bytes)).toEqual({ kind: 'whole', hello: WHOLE });
  });

  test('without extensions', () => {
    const body = MESSAGE.subarray(4, 4 + 2 + 32 + 33 + 2 + 4 + 2);
    const bytes = records(Buffer.concat([uint(1, 1), uint(body.length, 3), body]), 16_384);
    expect(readClientHello(bytes)).toEqual({
      kind: 'whole',
      hello: { ...NO_HELLO, ciphers: WHOLE.ciphers, sessionId: WHOLE.sessionId },
    });
  });

  test.each([
    ['another message', records(Buffer.concat([Buffer.from([2]), MESSAGE.subarray(1)]), 16_384)],
    ['another record', Buffer.from([23, 3, 1, 0, 1, 0])],
    [
      'another record in the middle',
      Buffer.concat([records(MESSAGE.subarray(0, 20), 20), Buffer.from([21, 3, 1, 0, 2, 1, 0])]),
    ],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['a length beyond all measure', records(Buffer.from([1, 255, 255, 255, 0]), 16_384)],
    [
      'a vector that is longer than the message',
      records(Buffer.from([1, 0, 0, 36, ...Buffer.alloc(34), 200, 0]), 16_384),
    ],
  ])('%s: left to OpenSSL', (_what, bytes) => {
    expect(readClientHello(bytes).kind).toBe('unreadable');
  });

  test('whatever comes, it is read, waited for or left to OpenSSL', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(MESSAGE.length), (noise, at) => {
        const message = Buffer.from(MESSAGE);
        message.set(noise.subarray(0, message.length - at), at);
        readClientHello(records(message, 16_384));
        readClientHello(Buffer.from(noise));
      }),
    );
  });
});
