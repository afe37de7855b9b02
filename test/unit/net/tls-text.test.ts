import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { cipherName } from '../../../src/net/cipher-names.ts';
import { namesOf, oneLine, rfc2253 } from '../../../src/net/distinguished-name.ts';
import { groupName } from '../../../src/net/group-names.ts';
import { opensslText } from '../../../src/net/openssl-text.ts';
import { pemBlocks } from '../../../src/net/pem.ts';
import { makeCertificate } from '../../support/certificates.ts';

test('errors of OpenSSL as nginx writes them', () => {
  const said = (message: string): string => opensslText(new Error(message));
  expect(said('40838CADB37F0000:error:0A0000F4:SSL routines:ossl_statem:unexpected message:../ssl/x.c:340:\n')).toBe(
    ' (SSL: error:0A0000F4:SSL routines::unexpected message)',
  );
  expect(
    said(
      '40838CADB37F0000:error:0A00042E:SSL routines:f:tlsv1 alert protocol version:../x.c:918:SSL alert number 70\n',
    ),
  ).toBe(' (SSL: error:0A00042E:SSL routines::tlsv1 alert protocol version:SSL alert number 70)');
  expect(said('error:0480006C:PEM routines::no start line')).toBe(' (SSL: error:0480006C:PEM routines::no start line)');
  expect(said('read ECONNRESET')).toBe('');
});

test('numbers that have no name', () => {
  expect([0x1301, 0xc02f, 0x0a0a].map(cipherName)).toEqual([
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    '0x0a0a',
  ]);
  expect([29, 23, 4588].map(groupName)).toEqual(['X25519', 'prime256v1', '0x11ec']);
});

test('names of certificates', () => {
  const subject = '/C=DE/O=Grün, "Blau"/OU=#a/OU= b /CN=x\\+y=z';
  const { raw } = new X509Certificate(makeCertificate('x', { subject }).cert);
  const names = namesOf(raw);
  expect(rfc2253(names.subject)).toBe('CN=x\\+y=z,OU=\\ b\\ ,OU=\\#a,O=Gr\\C3\\BCn\\, \\"Blau\\",C=DE');
  expect(oneLine(names.subject)).toBe('/C=DE/O=Gr\\xC3\\xBCn, "Blau"/OU=#a/OU= b /CN=x+y=z');
  expect(namesOf(Buffer.from('garbage'))).toEqual({ subject: [], issuer: [] });
});

test('blocks of a PEM file', () => {
  const { cert, key } = makeCertificate('x');
  expect(pemBlocks(`${key}text\n${cert}${cert}`, /^CERTIFICATE$/)).toEqual([cert.trim(), cert.trim()]);
  expect(pemBlocks('-----BEGIN CERTIFICATE-----\nunfinished', /^CERTIFICATE$/)).toEqual([]);
});
