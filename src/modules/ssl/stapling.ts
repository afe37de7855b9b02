import { X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { ConfigError } from '../../config/diagnostic.ts';
import { wallMs } from '../../core/clock.ts';
import type { StapledCertificate } from '../../http/tls.ts';
import { isOcspResponse } from '../../net/ocsp/ocsp-response.ts';
import type { StaplePlan } from '../../net/ocsp/staple-plan.ts';
import { CERTIFICATE, pemBlocks } from '../../net/pem.ts';
import type { TlsFiles } from '../../net/tls-files.ts';
import { type KeyPair, readOcspResponse } from '../../net/tls-material.ts';
import type { SslConf } from './ssl-conf.ts';

export interface StaplingInput {
  readonly conf: SslConf;
  readonly pairs: readonly KeyPair[];
  /** Certificates of `ssl_trusted_certificate` and `ssl_client_certificate`, in PEM. */
  readonly trusted: readonly string[];
  readonly files: TlsFiles;
  readonly plan: StaplePlan;
  readonly warn: (text: string) => void;
  /** A context that has this pair alone. */
  readonly contextOf: (pair: KeyPair) => SecureContext;
}

/** `ssl_stapling on`: the certificates that may have an OCSP response; null: none. Throws ConfigError in nginx's words. */
export function stapledCertificates(input: StaplingInput): StapledCertificate[] | null {
  const { conf, pairs } = input;
  if (!conf.staples) return null;
  const stapled = pairs.flatMap((pair, i) => {
    const response = responseOf(input, pair, input.files.named(conf.certificates[i] ?? ''));
    return response === null ? [] : [{ context: input.contextOf(pair), response, ...kindOf(pair) }];
  });
  // Of those that a client understands ECDSA is the quicker one.
  return stapled.length === 0 ? null : stapled.sort((a, b) => Number(b.isEcdsa) - Number(a.isEcdsa));
}

/** Where its response comes from; null: from nowhere, and why was said. */
function responseOf(input: StaplingInput, { cert }: KeyPair, file: string): (() => Buffer | null) | null {
  const { conf, files, plan } = input;
  if (conf.staplingFile !== '') {
    const name = files.named(conf.staplingFile);
    const response = readOcspResponse(name, files);
    if (isOcspResponse(response)) return () => response;
    throw new ConfigError(
      `d2i_OCSP_RESPONSE_bio("${name}") failed (SSL: error:068000A8:asn1 encoding routines::wrong tag error:0688010A:asn1 encoding routines::nested asn1 error:Type=OCSP_RESPONSE)`,
    );
  }
  const ignored = (why: string): null => {
    input.warn(`"ssl_stapling" ignored, ${why}`);
    return null;
  };
  const [own = '', ...chain] = pemBlocks(cert, CERTIFICATE);
  const certificate = new X509Certificate(own);
  const issuer = [...chain, ...input.trusted].find((pem) => {
    const candidate = new X509Certificate(pem);
    return certificate.checkIssued(candidate) && certificate.verify(candidate.publicKey);
  });
  if (issuer === undefined) return ignored(`issuer certificate not found for certificate "${file}"`);
  const responder = conf.staplingResponder || responderIn(certificate);
  if (responder === '') return ignored(`no OCSP responder URL in the certificate "${file}"`);
  if (!responder.toLowerCase().startsWith('http://')) {
    return ignored(`invalid URL prefix in OCSP responder "${responder}" in the certificate "${file}"`);
  }
  if (!URL.canParse(responder)) return ignored(`invalid OCSP responder "${responder}" in the certificate "${file}"`);
  const { trusted } = input;
  const key = plan.add({ certificate: own, issuer, trusted, verifiesSigner: conf.verifiesStaples, responder, file });
  return () => plan.staples.get(key, wallMs());
}

/** '' = it names none. */
function responderIn({ infoAccess }: X509Certificate): string {
  return /^OCSP - URI:(.*)$/m.exec(infoAccess ?? '')?.[1] ?? '';
}

/** Signature schemes of TLS 1.3 (RFC 8446 section 4.2.3). */
const CURVE_SCHEMES: Readonly<Record<string, number>> = { prime256v1: 0x0403, secp384r1: 0x0503, secp521r1: 0x0603 };
const RSA_SCHEMES = [0x0804, 0x0805, 0x0806];
const ED25519_SCHEME = 0x0807;

function kindOf({ cert }: KeyPair): { readonly isEcdsa: boolean; readonly schemes: readonly number[] } {
  const { asymmetricKeyType, asymmetricKeyDetails } = new X509Certificate(cert).publicKey;
  if (asymmetricKeyType === 'ec') {
    const scheme = CURVE_SCHEMES[asymmetricKeyDetails?.namedCurve ?? ''];
    return { isEcdsa: true, schemes: scheme === undefined ? [] : [scheme] };
  }
  return { isEcdsa: false, schemes: asymmetricKeyType === 'ed25519' ? [ED25519_SCHEME] : RSA_SCHEMES };
}
