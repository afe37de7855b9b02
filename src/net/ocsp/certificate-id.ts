import { createHash, type X509Certificate } from 'node:crypto';
import {
  BIT_STRING,
  contentOf,
  DerError,
  der,
  INTEGER,
  nodesOf,
  OCTET_STRING,
  OID,
  oidText,
  SEQUENCE,
} from '../der.ts';

/** Fields of a certificate that OCSP asks by. */
interface CertificateFields {
  readonly serial: Buffer;
  /** DER. */
  readonly issuerName: Buffer;
  /** DER. */
  readonly subjectName: Buffer;
  /** The bits of the public key. */
  readonly keyBits: Buffer;
}

const VERSION = 0xa0;

/** Throws DerError. */
export function fieldsOf({ raw }: X509Certificate): CertificateFields {
  const [whole] = nodesOf(raw);
  const [body] = nodesOf(contentOf(whole, SEQUENCE));
  const fields = nodesOf(contentOf(body, SEQUENCE));
  if (fields[0]?.tag === VERSION) fields.shift();
  const [serial, , issuerName, , subjectName, key] = fields;
  if (issuerName === undefined || subjectName === undefined) throw new DerError('a name is missing');
  const [, bits] = nodesOf(contentOf(key, SEQUENCE));
  return {
    serial: contentOf(serial, INTEGER),
    issuerName: issuerName.whole,
    subjectName: subjectName.whole,
    keyBits: contentOf(bits, BIT_STRING).subarray(1),
  };
}

/** RFC 6960 section 4.1.1: a certificate as seen by its issuer. */
export interface CertificateId {
  readonly serial: Buffer;
  readonly nameHash: Buffer;
  readonly keyHash: Buffer;
}

/** Of `CertID.hashAlgorithm`. */
const HASHES: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** AlgorithmIdentifier of SHA-1 with its NULL: the one hash that every responder knows. */
const SHA1 = Buffer.from('300906052b0e03021a0500', 'hex');

function idOf(certificate: X509Certificate, issuer: X509Certificate, hash: string): CertificateId {
  const digest = (bytes: Buffer): Buffer => createHash(hash).update(bytes).digest();
  const { serial, issuerName } = fieldsOf(certificate);
  return { serial, nameHash: digest(issuerName), keyHash: digest(fieldsOf(issuer).keyBits) };
}

/** An OCSPRequest for one certificate, without a nonce: responders may answer with what they signed before. */
export function encodeRequest(certificate: X509Certificate, issuer: X509Certificate): Buffer {
  const { serial, nameHash, keyHash } = idOf(certificate, issuer, 'sha1');
  const id = der(SEQUENCE, SHA1, der(OCTET_STRING, nameHash), der(OCTET_STRING, keyHash), der(INTEGER, serial));
  return der(SEQUENCE, der(SEQUENCE, der(SEQUENCE, der(SEQUENCE, id))));
}

/** Whether a CertID (its content, in DER) means this certificate. Throws DerError. */
export function isIdOf(content: Buffer, certificate: X509Certificate, issuer: X509Certificate): boolean {
  const [algorithm, name, key, serial] = nodesOf(content);
  const [oid] = nodesOf(contentOf(algorithm, SEQUENCE));
  const hash = HASHES[oidText(contentOf(oid, OID))];
  if (hash === undefined) return false;
  const id = idOf(certificate, issuer, hash);
  return (
    id.serial.equals(contentOf(serial, INTEGER)) &&
    id.nameHash.equals(contentOf(name, OCTET_STRING)) &&
    id.keyHash.equals(contentOf(key, OCTET_STRING))
  );
}
