import type { TLSSocket } from 'node:tls';
import type { StapledCertificate, TlsMeans } from '../../http/tls.ts';
import { cipherName } from '../cipher-names.ts';
import type { ClientHello } from '../client-hello.ts';

/**
 * The certificate whose OCSP response the client gets; null: none. Among several OpenSSL would choose behind our back, so the handshake is
 * made with that one alone; where it is not plain which one the client can use, the handshake goes without a response.
 */
export function chooseStapled(hello: ClientHello, { stapled, hasTls13 }: TlsMeans): StapledCertificate | null {
  if (stapled === null || !hello.asksForStatus) return null;
  if (stapled.isSingle) return stapled.certificates[0] ?? null;
  if (hello.offersTls13 && hasTls13) {
    const isUsable = ({ schemes }: StapledCertificate): boolean =>
      schemes.some((scheme) => hello.signatureAlgorithms.includes(scheme));
    return stapled.certificates.find(isUsable) ?? null;
  }
  const takesEcdsa = hello.ciphers.some((cipher) => cipherName(cipher).includes('ECDSA'));
  const takesRsa = hello.ciphers.some((cipher) => !cipherName(cipher).includes('ECDSA'));
  return takesEcdsa && takesRsa ? null : (stapled.certificates.find(({ isEcdsa }) => isEcdsa === takesEcdsa) ?? null);
}

interface Stapling {
  setOCSPResponse(response: Buffer): void;
}

/** `OCSPRequest`, Node's documented way, is an event of `tls.Server`, which there is none of here; `ssl` is what it calls in the end. */
export function staple(socket: TLSSocket, response: Buffer): void {
  (socket as unknown as { readonly ssl: Stapling }).ssl.setOCSPResponse(response);
}
