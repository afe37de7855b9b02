import type { TLSSocket } from 'node:tls';

interface Verifying {
  verifyError(): (Error & { readonly code?: string }) | null;
}

/**
 * The one thing that a server-side TLSSocket made without `tls.Server` does not say by its documented API: what OpenSSL found wrong with
 * the peer's certificate. `ssl` is what Node's own server asks. Null: nothing is wrong. Throws where Node no longer has it: nobody may be
 * trusted for want of an answer.
 */
export function verifyErrorOf(socket: TLSSocket): (Error & { readonly code?: string }) | null {
  return (socket as unknown as { readonly ssl: Verifying }).ssl.verifyError();
}
