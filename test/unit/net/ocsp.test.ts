import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { der, oidText } from '../../../src/net/der.ts';
import { encodeRequest } from '../../../src/net/ocsp/certificate-id.ts';
import { checkResponse, isOcspResponse, OcspError, type OcspQuestion } from '../../../src/net/ocsp/ocsp-response.ts';
import { Staples } from '../../../src/net/ocsp/staple-plan.ts';
import { type Certificate, makeCertificate } from '../../support/certificates.ts';
import { type OcspKnowledge, ocspAnswer } from '../../support/ocsp-responder.ts';

const CA = makeCertificate('CA', { isCa: true });
const RSA_CA = makeCertificate('RSA CA', { isCa: true, kind: 'rsa' });
const OTHER_CA = makeCertificate('other CA', { isCa: true });
const SITE = makeCertificate('site', { issuer: CA, serial: '0A01' });
const NEIGHBOUR = makeCertificate('neighbour', { issuer: CA, serial: 'FF02' });
const RSA_SITE = makeCertificate('rsa site', { issuer: RSA_CA, serial: '03', kind: 'rsa' });
const DELEGATE = makeCertificate('delegate', { issuer: CA, signsOcsp: true });
const NO_DELEGATE = makeCertificate('no delegate', { issuer: CA });
const FALSE_DELEGATE = makeCertificate('delegate', { issuer: OTHER_CA, signsOcsp: true });
const DAY_MS = 86_400_000;

const x509 = ({ cert }: Certificate): X509Certificate => new X509Certificate(cert);
const question = (
  certificate: Certificate,
  issuer: Certificate,
  verifiesSigner = true,
  trusted: readonly Certificate[] = [],
): OcspQuestion => ({
  certificate: x509(certificate),
  issuer: x509(issuer),
  trusted: trusted.map(x509),
  verifiesSigner,
});
const ofSite = question(SITE, CA);

function answer(asked: OcspQuestion, more: Partial<OcspKnowledge> = {}, args = ['-ndays', '1']): Buffer {
  const request = encodeRequest(asked.certificate, asked.issuer);
  return ocspAnswer({ ca: CA, signer: CA, good: [SITE, NEIGHBOUR], ...more }, request, args);
}

function failure(response: Buffer, asked = ofSite, wallMs = Date.now()): string {
  try {
    checkResponse(response, asked, wallMs);
    return 'taken';
  } catch (error) {
    if (!(error instanceof OcspError)) throw error;
    return `${error.message}${error.isRevoked ? ' (revoked)' : ''}`;
  }
}

describe('a response', () => {
  test('signed by the issuer', () => {
    const { nextUpdateMs } = checkResponse(answer(ofSite), ofSite, Date.now());
    expect(Math.abs((nextUpdateMs ?? 0) - Date.now() - DAY_MS)).toBeLessThan(120_000);
  });

  test('without an end', () => {
    expect(checkResponse(answer(ofSite, {}, []), ofSite, Date.now()).nextUpdateMs).toBeNull();
  });

  test('signed with RSA, its signer told by key', () => {
    const asked = question(RSA_SITE, RSA_CA);
    const knowledge = { ca: RSA_CA, signer: RSA_CA, good: [RSA_SITE] };
    expect(failure(answer(asked, knowledge, ['-ndays', '1', '-resp_key_id']), asked)).toBe('taken');
    expect(failure(answer(asked, knowledge, ['-ndays', '1', '-rmd', 'sha512']), asked)).toBe('taken');
  });

  test.each([
    ['a delegate', DELEGATE, 'taken', 'taken'],
    [
      'whom the issuer has not named',
      NO_DELEGATE,
      'signer of the OCSP response is not the issuer, nor named by it',
      'taken',
    ],
    [
      "another CA's delegate",
      FALSE_DELEGATE,
      'signer of the OCSP response is not the issuer, nor named by it',
      'taken',
    ],
    ['another CA', OTHER_CA, 'signer of the OCSP response is not the issuer, nor named by it', 'taken'],
  ])('signed by %s', (_who, signer, strict, lax) => {
    const response = answer(ofSite, { signer });
    expect(failure(response)).toBe(strict);
    expect(failure(response, question(SITE, CA, false))).toBe(lax);
    expect(failure(response, question(SITE, CA, true, [signer]))).toBe('taken');
  });

  test('its signer is nowhere to be found', () => {
    expect(failure(answer(ofSite, { signer: DELEGATE }, ['-resp_no_certs']))).toBe(
      'signer certificate of the OCSP response not found',
    );
  });

  test('about another certificate, or another issuer', () => {
    const response = answer(ofSite);
    expect(failure(response, question(NEIGHBOUR, CA))).toBe('certificate status not found in the OCSP response');
    expect(failure(response, question(RSA_SITE, RSA_CA))).toContain('signer of the OCSP response is not the issuer');
  });

  test('revoked, and unknown', () => {
    expect(failure(answer(ofSite, { good: [], revoked: [SITE] }))).toBe(
      'certificate status "revoked" in the OCSP response (revoked)',
    );
    expect(failure(answer(ofSite, { good: [] }))).toBe('certificate status "unknown" in the OCSP response');
  });

  test('over, and not yet', () => {
    const response = answer(ofSite);
    expect(failure(response, ofSite, Date.now() + 2 * DAY_MS)).toBe('OCSP response has expired');
    expect(failure(response, ofSite, Date.now() - DAY_MS)).toBe('OCSP response is not valid yet');
  });

  test('one that says why there is none', () => {
    expect(failure(Buffer.from('30030a0106', 'hex'))).toBe('OCSP response not successful (6: unauthorized)');
    expect(failure(Buffer.from('30030a0163', 'hex'))).toBe('OCSP response not successful (99: unknown)');
  });

  test('any changed byte is noticed; any bytes at all are survived', () => {
    const response = answer(ofSite);
    const lax = question(SITE, CA, false);
    for (let at = 0; at < response.length; at++) {
      const changed = Buffer.from(response);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      // Of the certificates behind the signature nothing but the key counts, and the version is a number that nobody needs.
      if (failure(changed, lax) === 'taken') expect(failure(changed)).toBe('taken');
    }
    for (let length = 0; length < response.length; length += 7) {
      expect(failure(response.subarray(0, length))).toContain('malformed');
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => failure(Buffer.from(noise)) !== 'taken'));
  });

  test('recognised by its shape', () => {
    expect(isOcspResponse(answer(ofSite))).toBe(true);
    expect(['', 'garbage', '-----BEGIN'].map((text) => isOcspResponse(Buffer.from(text)))).toEqual([
      false,
      false,
      false,
    ]);
  });
});

test('a worker shows a response until its end', () => {
  const staples = new Staples();
  staples.set({ key: 'k', response: 'AAAA', untilMs: 100 });
  expect(staples.get('k', 99)).toHaveLength(3);
  expect(staples.get('k', 100)).toBeNull();
  staples.set({ key: 'k', response: 'AAAA', untilMs: null });
  expect(staples.get('k', 1e15)).toHaveLength(3);
  staples.set({ key: 'k', response: null, untilMs: null });
  expect(staples.get('k', 0)).toBeNull();
});

test('DER: lengths and object ids', () => {
  expect(der(0x30, Buffer.alloc(2)).toString('hex')).toBe('30020000');
  expect(der(4, Buffer.alloc(200)).subarray(0, 3).toString('hex')).toBe('0481c8');
  expect(der(4, Buffer.alloc(300)).subarray(0, 4).toString('hex')).toBe('0482012c');
  expect(
    ['2a864886f70d01010b', '2b0e03021a', '608648016503040201', '883703'].map((hex) => oidText(Buffer.from(hex, 'hex'))),
  ).toEqual(['1.2.840.113549.1.1.11', '1.3.14.3.2.26', '2.16.840.1.101.3.4.2.1', '2.999.3']);
});
