import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { der } from '../../../src/net/der.ts';
import { TlsFiles } from '../../../src/net/tls-files.ts';
import { readDhParameters } from '../../../src/net/tls-material.ts';
import { TicketKeyRing } from '../../../src/net/tls-sessions/ticket-key-ring.ts';

function read(pem: string): string {
  const files = new TlsFiles(new TicketKeyRing(), { '/dh.pem': Buffer.from(pem).toString('base64') }, '/');
  return readDhParameters('/dh.pem', files, false);
}

const pemOf = (label: string, bytes: Buffer): string =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64')}\n-----END ${label}-----\n`;
const number = (bytes: number): Buffer => der(2, Buffer.concat([Buffer.from([0x7f]), Buffer.alloc(bytes - 1, 0xa5)]));

test.each(Array.from({ length: 49 }, (_, i) => 1 + i))(
  'parameters of X9.42 become those of PKCS #3 that openssl reads (a generator of %i bytes)',
  (generatorBytes) => {
    const prime = number(257);
    const text = read(pemOf('X9.42 DH PARAMETERS', der(0x30, prime, number(generatorBytes), number(29))));
    const shown = execFileSync('openssl', ['asn1parse'], { input: text, encoding: 'latin1' });
    expect(shown.match(/INTEGER/g)).toHaveLength(2);
    expect(text).not.toContain('\n\n');
  },
);

test('what is none, and what is too short', () => {
  const no = /PEM_read_bio_DHparams\("\/dh\.pem"\) failed/;
  expect(() => read('garbage')).toThrow(no);
  expect(() => read(pemOf('DH PARAMETERS', Buffer.from('garbage')))).toThrow(no);
  expect(() => read(pemOf('DH PARAMETERS', der(0x30, number(257))))).toThrow(no);
  expect(() => read(pemOf('DH PARAMETERS', der(0x30, number(128), number(1))))).toThrow('dh key too small');
});
