import type { TLSSocket } from 'node:tls';
import type { ProbeFacts } from './probe.ts';
import { socketFailure } from './socket-failure.ts';

const DAY_MS = 86_400_000;

export interface CertificateDemand {
  /** False: from whom and for whom it is does not matter; that it is in force does. */
  readonly isVerified: boolean;
  /** Fewest days that it must still be good for. */
  readonly minDays: number;
}

export interface CertificateView {
  /** What is wrong; '' when nothing is. */
  readonly reason: string;
  readonly facts: ProbeFacts;
}

/** The peer's certificate: is it trusted, for this name, and good for some days yet? */
export function viewCertificate(socket: TLSSocket, demand: CertificateDemand, wallMs: number): CertificateView {
  const certificate = socket.getPeerCertificate();
  const expiresAtMs = Date.parse(certificate.valid_to);
  if (Number.isNaN(expiresAtMs)) return { reason: 'the server showed no certificate', facts: {} };
  const days = Math.floor((expiresAtMs - wallMs) / DAY_MS);
  const facts: ProbeFacts = {
    tls: socket.getProtocol() ?? '',
    certificate_days: days,
    certificate_expires_at: new Date(expiresAtMs).toISOString(),
  };
  if (expiresAtMs <= wallMs) return { reason: `the certificate expired ${facts['certificate_expires_at']}`, facts };
  if (demand.isVerified && !socket.authorized) return { reason: distrust(socket), facts };
  if (days < demand.minDays) {
    return { reason: `the certificate expires in ${days} days, at least ${demand.minDays} expected`, facts };
  }
  return { reason: '', facts };
}

function distrust(socket: TLSSocket): string {
  // A code, though its type says Error.
  const code = String(socket.authorizationError ?? '');
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `the certificate is for ${names(socket)}, not for this name`;
  }
  return socketFailure({ code, message: code });
}

function names(socket: TLSSocket): string {
  const { subjectaltname, subject } = socket.getPeerCertificate();
  return subjectaltname?.replaceAll(/DNS:|IP Address:/g, '') ?? String(subject.CN ?? 'nobody');
}
