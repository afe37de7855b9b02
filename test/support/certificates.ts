import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempFolder } from './temp-folder.ts';

/** A certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** As openssl's `-subj`. Default `/CN=NAME`. */
  readonly subject?: string;
  /** DNS names. */
  readonly names?: readonly string[];
  /** Default: a root of its own (self-signed). */
  readonly issuer?: Certificate;
  /** It may issue others. */
  readonly isCa?: boolean;
  /** URL of the OCSP responder that it names. */
  readonly ocsp?: string;
  /** It may sign OCSP responses for its issuer. */
  readonly signsOcsp?: boolean;
  /** Default `ec`. */
  readonly kind?: 'ec' | 'rsa';
  readonly days?: number;
  /** Hexadecimal. */
  readonly serial?: string;
}

/** Makes a certificate with openssl. Strings in subjects are UTF-8. */
export function makeCertificate(name: string, options: CertificateOptions = {}): Certificate {
  const directory = tempFolder('certificate');
  const at = (file: string): string => join(directory, file);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: directory });
  };
  try {
    const algorithm =
      options.kind === 'rsa'
        ? ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048']
        : ['EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    openssl('genpkey', '-algorithm', ...algorithm, '-out', at('key.pem'));
    const subject = options.subject ?? `/CN=${name}`;
    openssl('req', '-new', '-utf8', '-key', at('key.pem'), '-subj', subject, '-out', at('request.pem'));
    const lines = [options.isCa === true ? 'basicConstraints=critical,CA:TRUE' : 'basicConstraints=CA:FALSE'];
    if (options.names !== undefined) lines.push(`subjectAltName=${options.names.map((dns) => `DNS:${dns}`).join(',')}`);
    if (options.ocsp !== undefined) lines.push(`authorityInfoAccess=OCSP;URI:${options.ocsp}`);
    if (options.signsOcsp === true) lines.push('extendedKeyUsage=OCSPSigning');
    writeFileSync(at('extensions'), `${lines.join('\n')}\n`);
    if (options.issuer !== undefined) {
      writeFileSync(at('issuer.pem'), options.issuer.cert);
      writeFileSync(at('issuer-key.pem'), options.issuer.key);
    }
    const signer =
      options.issuer === undefined
        ? ['-signkey', at('key.pem')]
        : ['-CA', at('issuer.pem'), '-CAkey', at('issuer-key.pem')];
    openssl(
      ...['x509', '-req', '-in', at('request.pem'), '-extfile', at('extensions'), '-out', at('cert.pem'), ...signer],
      ...['-days', String(options.days ?? 30), '-set_serial', `0x${options.serial ?? '0A1B2C3D4E'}`],
    );
    return { cert: readFileSync(at('cert.pem'), 'latin1'), key: readFileSync(at('key.pem'), 'latin1') };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A list of revoked certificates of `issuer`: those with these serial numbers. */
export function makeCrl(issuer: Certificate, serials: readonly string[]): string {
  const directory = tempFolder('crl');
  const at = (file: string): string => join(directory, file);
  try {
    writeFileSync(at('ca.pem'), issuer.cert);
    writeFileSync(at('ca-key.pem'), issuer.key);
    const revoked = serials.map((serial) => `R\t301231000000Z\t250101000000Z\t${serial}\tunknown\t/CN=revoked\n`);
    writeFileSync(at('index'), revoked.join(''));
    writeFileSync(at('conf'), '[ca]\ndefault_ca=own\n[own]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=30\n');
    execFileSync(
      'openssl',
      ['ca', '-config', 'conf', '-gencrl', '-cert', 'ca.pem', '-keyfile', 'ca-key.pem', '-out', 'crl.pem'],
      {
        cwd: directory,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    return readFileSync(at('crl.pem'), 'latin1');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The key, encrypted with a password. */
export function encryptKey(key: string, password: string): string {
  return execFileSync('openssl', ['pkey', '-aes256', '-passout', `pass:${password}`], {
    input: key,
    encoding: 'latin1',
  });
}
