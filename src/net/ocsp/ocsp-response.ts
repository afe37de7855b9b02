import { createHash, verify, X509Certificate } from 'node:crypto';
import {
  BIT_STRING,
  contentOf,
  DerError,
  type DerNode,
  ENUMERATED,
  GENERALIZED_TIME,
  nodesOf,
  OCTET_STRING,
  OID,
  oidText,
  SEQUENCE,
} from '../der.ts';
import { fieldsOf, isIdOf } from './certificate-id.ts';

/** What a response is to be about, and who may have signed it. */
export interface OcspQuestion {
  readonly certificate: X509Certificate;
  readonly issuer: X509Certificate;
  /** `ssl_trusted_certificate`: may sign, too. */
  readonly trusted: readonly X509Certificate[];
  /** `ssl_stapling_verify`: the signer must be the issuer, have its mandate (RFC 6960 section 4.2.2.2), or be trusted. Off: any signer that is told. */
  readonly verifiesSigner: boolean;
}

export interface OcspAnswer {
  /** When the next one will be there, on the wall clock; null: not said. */
  readonly nextUpdateMs: number | null;
}

/** Why a response is not used. `isRevoked`: the certificate must not be vouched for any more. */
export class OcspError extends Error {
  override readonly name = 'OcspError';
  readonly isRevoked: boolean;

  constructor(message: string, isRevoked = false) {
    super(message);
    this.isRevoked = isRevoked;
  }
}

const STATUSES = ['successful', 'malformedrequest', 'internalerror', '4', 'trylater', 'sigrequired', 'unauthorized'];
const BASIC = '1.3.6.1.5.5.7.48.1.1';
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
/** What clocks may differ in. */
const SKEW_MS = 300_000;

const EXPLICIT_0 = 0xa0;
const BY_NAME = 0xa1;
const BY_KEY = 0xa2;
const GOOD = 0x80;
const REVOKED = 0xa1;

/** Hash of a signature's algorithm; null: the algorithm has its own. */
const SIGNATURES: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.5': 'sha1',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
};

/** Reads and checks an OCSPResponse (RFC 6960 section 4.2): it says of this very certificate that it is good, now. Throws OcspError. */
export function checkResponse(response: Buffer, question: OcspQuestion, wallMs: number): OcspAnswer {
  try {
    return check(response, question, wallMs);
  } catch (error) {
    if (error instanceof DerError) throw new OcspError(`OCSP response is malformed: ${error.message}`);
    throw error;
  }
}

/** Whether it looks like an OCSPResponse at all (`ssl_stapling_file`). */
export function isOcspResponse(bytes: Buffer): boolean {
  try {
    const [whole, ...more] = nodesOf(bytes);
    const [status, rest] = nodesOf(contentOf(whole, SEQUENCE));
    return more.length === 0 && contentOf(status, ENUMERATED).length === 1 && (rest?.tag ?? EXPLICIT_0) === EXPLICIT_0;
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}

function check(response: Buffer, question: OcspQuestion, wallMs: number): OcspAnswer {
  // 1. the envelope
  const [whole] = nodesOf(response);
  const [status, wrapped] = nodesOf(contentOf(whole, SEQUENCE));
  const code = contentOf(status, ENUMERATED)[0] ?? -1;
  if (code !== 0) throw new OcspError(`OCSP response not successful (${code}: ${STATUSES[code] ?? 'unknown'})`);
  const [typed] = nodesOf(contentOf(wrapped, EXPLICIT_0));
  const [type, bytes] = nodesOf(contentOf(typed, SEQUENCE));
  if (oidText(contentOf(type, OID)) !== BASIC) throw new OcspError('OCSP response is of an unknown type');
  const [basic] = nodesOf(contentOf(bytes, OCTET_STRING));
  const [data, algorithm, signature, certs] = nodesOf(contentOf(basic, SEQUENCE));
  const fields = nodesOf(contentOf(data, SEQUENCE));
  if (fields[0]?.tag === EXPLICIT_0) fields.shift(); // version
  const [responder, , list] = fields;
  // 2. the signature
  const signer = findSigner(responder, [question.issuer, ...question.trusted, ...certificatesIn(certs)]);
  if (data === undefined || !isSigned(data.whole, algorithm, signature, signer)) {
    throw new OcspError('OCSP response has a bad signature');
  }
  if (question.verifiesSigner) checkSigner(signer, question, wallMs);
  // 3. what it says
  for (const single of nodesOf(contentOf(list, SEQUENCE))) {
    const [id, verdict, thisUpdate, next] = nodesOf(contentOf(single, SEQUENCE));
    if (!isIdOf(contentOf(id, SEQUENCE), question.certificate, question.issuer)) continue;
    const nextUpdateMs = next?.tag === EXPLICIT_0 ? timeOf(nodesOf(next.content)[0]) : null;
    if (timeOf(thisUpdate) > wallMs + SKEW_MS) throw new OcspError('OCSP response is not valid yet');
    if (nextUpdateMs !== null && nextUpdateMs < wallMs) throw new OcspError('OCSP response has expired');
    if (verdict?.tag === GOOD) return { nextUpdateMs };
    const isRevoked = verdict?.tag === REVOKED;
    throw new OcspError(`certificate status "${isRevoked ? 'revoked' : 'unknown'}" in the OCSP response`, isRevoked);
  }
  throw new OcspError('certificate status not found in the OCSP response');
}

function certificatesIn(certs: DerNode | undefined): X509Certificate[] {
  if (certs === undefined) return [];
  const [list] = nodesOf(contentOf(certs, EXPLICIT_0));
  return nodesOf(contentOf(list, SEQUENCE)).map(({ whole }) => {
    try {
      return new X509Certificate(whole);
    } catch {
      throw new DerError('one of its certificates is none');
    }
  });
}

function findSigner(responder: DerNode | undefined, candidates: readonly X509Certificate[]): X509Certificate {
  const isIt = (candidate: X509Certificate): boolean => {
    const { subjectName, keyBits } = fieldsOf(candidate);
    if (responder?.tag === BY_NAME) return subjectName.equals(responder.content);
    if (responder?.tag !== BY_KEY) throw new DerError('a responder is missing');
    const [hash] = nodesOf(responder.content);
    return createHash('sha1').update(keyBits).digest().equals(contentOf(hash, OCTET_STRING));
  };
  const signer = candidates.find(isIt);
  if (signer === undefined) throw new OcspError('signer certificate of the OCSP response not found');
  return signer;
}

function isSigned(
  data: Buffer,
  algorithm: DerNode | undefined,
  signature: DerNode | undefined,
  signer: X509Certificate,
): boolean {
  const [oid] = nodesOf(contentOf(algorithm, SEQUENCE));
  const name = oidText(contentOf(oid, OID));
  const hash = SIGNATURES[name];
  if (hash === undefined) throw new OcspError(`OCSP response is signed by an unknown algorithm (${name})`);
  try {
    return verify(hash, data, signer.publicKey, contentOf(signature, BIT_STRING).subarray(1));
  } catch {
    return false; // a key of another kind
  }
}

function checkSigner(signer: X509Certificate, { issuer, trusted }: OcspQuestion, wallMs: number): void {
  if ([issuer, ...trusted].some((one) => one.raw.equals(signer.raw))) return;
  const isMandated =
    signer.checkIssued(issuer) && signer.verify(issuer.publicKey) && (signer.keyUsage ?? []).includes(OCSP_SIGNING);
  const isInTime = signer.validFromDate.getTime() <= wallMs && wallMs <= signer.validToDate.getTime();
  if (!isMandated || !isInTime) throw new OcspError('signer of the OCSP response is not the issuer, nor named by it');
}

/** `20261122110000Z`, on the wall clock. */
function timeOf(node: DerNode | undefined): number {
  const text = contentOf(node, GENERALIZED_TIME).toString('latin1');
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z$/.exec(text) ?? [];
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(ms)) throw new DerError('a time is none');
  return ms;
}
