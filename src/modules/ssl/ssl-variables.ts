import type { X509Certificate } from 'node:crypto';
import { wallMs } from '../../core/clock.ts';
import type { ClientTls } from '../../http/tls.ts';
import type { VariableDef } from '../../http/variable.ts';
import { cipherName } from '../../net/cipher-names.ts';
import { namesOf, oneLine, rfc2253 } from '../../net/distinguished-name.ts';
import { groupName } from '../../net/group-names.ts';

/** A variable of an encrypted connection; not found on a plain one, and where it is empty. */
function ofConnection(name: string, value: (tls: ClientTls) => string | null): VariableDef {
  return {
    name: `ssl_${name}`,
    isChangeable: true,
    compile: () => (ex) => {
      const { tls } = ex.connection;
      return tls === null || !tls.isEncrypted ? null : value(tls) || null;
    },
  };
}

/** One of the client's certificate. */
function ofCertificate(name: string, value: (certificate: X509Certificate) => string): VariableDef {
  return ofConnection(`client_${name}`, ({ clientCertificate }) =>
    clientCertificate === null ? null : value(clientCertificate),
  );
}

const DAY_MS = 86_400_000;

/** `$ssl_client_verify`. */
function verdict({ verifyFailure, clientCertificate }: ClientTls): string {
  if (verifyFailure !== null) return `FAILED:${verifyFailure.reason}`;
  return clientCertificate === null ? 'NONE' : 'SUCCESS';
}

function pem(certificate: X509Certificate): string {
  return certificate.toString().trimEnd();
}

/** Lines but the first begin with a tab, so that it can be a field's value. */
function pemWithTabs(certificate: X509Certificate): string {
  return pem(certificate).replaceAll('\n', '\n\t');
}

function daysLeft(certificate: X509Certificate): string {
  const leftMs = certificate.validToDate.getTime() - wallMs();
  return leftMs < DAY_MS ? '0' : String(Math.floor(leftMs / DAY_MS));
}

/** As nginx escapes a URI's component. */
function escapedPem(certificate: X509Certificate): string {
  return encodeURIComponent(`${pem(certificate)}\n`).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export const SSL_VARIABLES: readonly VariableDef[] = [
  ofConnection('protocol', (tls) => tls.protocol),
  ofConnection('cipher', (tls) => tls.cipher),
  ofConnection('ciphers', (tls) => tls.offeredCiphers.map(cipherName).join(':')),
  ofConnection('curves', (tls) => tls.offeredGroups.map(groupName).join(':')),
  ofConnection('session_id', (tls) => tls.sessionId),
  ofConnection('session_reused', (tls) => (tls.isSessionReused ? 'r' : '.')),
  ofConnection('early_data', () => null),
  ofConnection('server_name', (tls) => tls.requestedName),
  ofConnection('alpn_protocol', (tls) => tls.alpnProtocol),
  ofConnection('client_verify', verdict),
  ofCertificate('cert', pemWithTabs),
  ofCertificate('raw_cert', (certificate) => `${pem(certificate)}\n`),
  ofCertificate('escaped_cert', escapedPem),
  ofCertificate('s_dn', ({ raw }) => rfc2253(namesOf(raw).subject)),
  ofCertificate('i_dn', ({ raw }) => rfc2253(namesOf(raw).issuer)),
  ofCertificate('s_dn_legacy', ({ raw }) => oneLine(namesOf(raw).subject)),
  ofCertificate('i_dn_legacy', ({ raw }) => oneLine(namesOf(raw).issuer)),
  ofCertificate('serial', ({ serialNumber }) => serialNumber),
  ofCertificate('fingerprint', ({ fingerprint }) => fingerprint.replaceAll(':', '').toLowerCase()),
  ofCertificate('v_start', ({ validFrom }) => validFrom),
  ofCertificate('v_end', ({ validTo }) => validTo),
  ofCertificate('v_remain', daysLeft),
];
