import type { TLSSocket } from 'node:tls';

/** How many certificates stand between the peer's own and the root that it ends in: neither is counted. */
export function intermediatesOf(socket: TLSSocket): number {
  let count = 0;
  const seen = new Set<string>();
  let certificate = socket.getPeerCertificate(true);
  while (certificate.issuerCertificate !== undefined && !seen.has(certificate.fingerprint256)) {
    seen.add(certificate.fingerprint256);
    certificate = certificate.issuerCertificate;
    count++;
  }
  return Math.max(0, count - 2);
}
