import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { ConfigError } from '../config/diagnostic.ts';
import { systemErrorText } from '../config/system-error.ts';
import { contentOf, DerError, type DerNode, der, INTEGER, nodesOf, SEQUENCE } from './der.ts';
import { opensslText } from './openssl-text.ts';
import { CERTIFICATE, CRL, DH_PARAMETERS, pemBlocks } from './pem.ts';
import type { TlsFiles } from './tls-files.ts';

/** A certificate (chain) and its key, both in PEM, the key without a password. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

const NO_START_LINE = 'error:0480006C:PEM routines::no start line:Expecting: ';

/** Throws ConfigError in nginx's words. `passwords`: tried one after the other on a key that is encrypted. */
export function readKeyPair(certName: string, keyName: string, passwords: readonly string[], files: TlsFiles): KeyPair {
  const cert = readText(certName, files, (why) => `cannot load certificate "${certName}": BIO_new_file() failed${why}`);
  const bad = (why: string): ConfigError =>
    new ConfigError(`cannot load certificate "${certName}": PEM_read_bio_X509_AUX() failed${why}`);
  const [own] = pemBlocks(cert, CERTIFICATE);
  if (own === undefined) throw bad(` (SSL: ${NO_START_LINE}TRUSTED CERTIFICATE)`);
  const certificate = tryOr(() => new X509Certificate(own), bad);

  const text = readText(
    keyName,
    files,
    (why) => `cannot load certificate key "${keyName}": BIO_new_file() failed${why}`,
  );
  const key = tryOr(
    () => decryptKey(text, passwords),
    (why) => new ConfigError(`cannot load certificate key "${keyName}": PEM_read_bio_PrivateKey() failed${why}`),
  );
  if (!certificate.checkPrivateKey(key)) {
    throw new ConfigError(
      `SSL_CTX_use_PrivateKey("${keyName}") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)`,
    );
  }
  return { cert, key: key.export({ type: 'pkcs8', format: 'pem' }) as string };
}

function decryptKey(text: string, passwords: readonly string[]): KeyObject {
  let failure: unknown;
  for (const passphrase of passwords.length === 0 ? [undefined] : passwords) {
    try {
      return createPrivateKey(passphrase === undefined ? text : { key: text, passphrase });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Certificates that are trusted. Throws ConfigError in nginx's words. */
export function readTrusted(name: string, files: TlsFiles): string[] {
  const failed = (why: string): string => `SSL_CTX_load_verify_locations("${name}") failed${why}`;
  const blocks = pemBlocks(readText(name, files, failed, LOOKUP_FAILED), CERTIFICATE);
  if (blocks.length === 0) throw new ConfigError(failed(NOTHING_FOUND));
  for (const block of blocks) {
    tryOr(
      () => new X509Certificate(block),
      (why) => new ConfigError(failed(why)),
    );
  }
  return blocks;
}

/** Revoked certificates. Throws ConfigError in nginx's words. */
export function readCrl(name: string, files: TlsFiles): string[] {
  const failed = (why: string): string => `X509_LOOKUP_load_file("${name}") failed${why}`;
  const blocks = pemBlocks(readText(name, files, failed, LOOKUP_FAILED), CRL);
  if (blocks.length === 0) throw new ConfigError(failed(NOTHING_FOUND));
  return blocks;
}

/** Bits of a prime that OpenSSL takes at its security level 2. */
const MIN_DH_BITS = 2048;

/** Parameters of DHE. `mayBeShort`: the ciphers say another security level than 2. Throws ConfigError in nginx's words. */
export function readDhParameters(name: string, files: TlsFiles, mayBeShort: boolean): string {
  const text = readText(name, files, (why) => `BIO_new_file("${name}") failed${why}`);
  const [block] = pemBlocks(text, DH_PARAMETERS);
  const [prime, generator] = block === undefined ? [] : dhNumbers(block);
  if (prime === undefined || generator === undefined) {
    throw new ConfigError(`PEM_read_bio_DHparams("${name}") failed (SSL: ${NO_START_LINE}DH PARAMETERS)`);
  }
  if (!mayBeShort && BigInt(`0x${prime.content.toString('hex')}`).toString(2).length < MIN_DH_BITS) {
    throw new ConfigError(`SSL_CTX_set_tmp_dh("${name}") failed (SSL: error:0A00018A:SSL routines::dh key too small)`);
  }
  // Node drops those of X9.42 (`openssl dhparam -dsaparam`) without a word.
  const own = der(SEQUENCE, prime.whole, generator.whole).toString('base64');
  const lines = own.match(/.{1,64}/g) ?? [];
  return ['-----BEGIN DH PARAMETERS-----', ...lines, '-----END DH PARAMETERS-----', ''].join('\n');
}

/** Prime and generator of PKCS #3 or X9.42 parameters in PEM; nothing where they are neither. */
function dhNumbers(block: string): DerNode[] {
  try {
    const [whole] = nodesOf(Buffer.from(block.replace(/-----[^-]+-----/g, ''), 'base64'));
    const numbers = nodesOf(contentOf(whole, SEQUENCE)).slice(0, 2);
    return numbers.every(({ tag, content }) => tag === INTEGER && content.length > 0) ? numbers : [];
  } catch (error) {
    if (error instanceof DerError) return [];
    throw error;
  }
}

/** `ssl_stapling_file`, in DER. Throws ConfigError in nginx's words. */
export function readOcspResponse(name: string, files: TlsFiles): Buffer {
  try {
    return files.read(name);
  } catch (error) {
    throw new ConfigError(`BIO_new_file("${name}") failed (SSL: ${fopenFailure(name, error, 'rb')})`);
  }
}

/** One password a line. Throws ConfigError in nginx's words. */
export function readPasswords(name: string, files: TlsFiles): string[] {
  const lines = open(name, files).toString('latin1').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/**
 * Key of session tickets for Node, from a file as nginx has it: name, AES key, HMAC key of 16 bytes each, or of 16, 32 and 32.
 * Node knows keys of the first kind alone: of the longer ones it has the first halves, and other programs cannot read its tickets then.
 */
export function readTicketKey(name: string, files: TlsFiles): Buffer {
  const key = open(name, files);
  if (key.length === 48) return Buffer.concat([key.subarray(0, 16), key.subarray(32, 48), key.subarray(16, 32)]);
  if (key.length === 80) return Buffer.concat([key.subarray(0, 16), key.subarray(16, 32), key.subarray(48, 64)]);
  throw new ConfigError(`"${name}" must be 48 or 80 bytes`);
}

const NOTHING_FOUND = ' (SSL: error:05800088:x509 certificate routines::no certificate or crl found)';
const LOOKUP_FAILED = ' error:05880002:x509 certificate routines::system lib';

function open(name: string, files: TlsFiles): Buffer {
  try {
    return files.read(name);
  } catch (error) {
    throw new ConfigError(`open() "${name}" failed (${systemErrorText(error)})`);
  }
}

/** `more`: what OpenSSL adds behind the failure to open. */
function readText(name: string, files: TlsFiles, failed: (why: string) => string, more = ''): string {
  try {
    return files.read(name).toString('latin1');
  } catch (error) {
    throw new ConfigError(failed(` (SSL: ${fopenFailure(name, error)}${more})`));
  }
}

/** What OpenSSL says when fopen(3) fails. */
function fopenFailure(name: string, error: unknown, mode = 'r'): string {
  const [number = '0', words = ''] = systemErrorText(error).split(': ');
  const code = (0x80000000 + Number(number)).toString(16).toUpperCase();
  const bio =
    Number(number) === 2 ? 'error:10000080:BIO routines::no such file' : 'error:10080002:BIO routines::system lib';
  return `error:${code}:system library::${words}:calling fopen(${name}, ${mode}) ${bio}`;
}

function tryOr<T>(work: () => T, failed: (why: string) => ConfigError): T {
  try {
    return work();
  } catch (error) {
    throw failed(error instanceof Error ? opensslText(error) : '');
  }
}
