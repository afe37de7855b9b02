import { strerror } from '../core/strerror.ts';

/** Node's codes that are no errno. */
const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'host not found',
  EAI_AGAIN: 'the name could not be looked up',
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate comes from an issuer that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate comes from an issuer that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'the certificate comes from an issuer that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the certificate comes from an issuer that is not trusted',
};

/** Why a connection failed, in the field's words: `connection refused`, `host not found`; else the error's own message, on one line. */
export function socketFailure(error: unknown): string {
  const { code, message, reason } = error as { code?: unknown; message?: unknown; reason?: unknown };
  // OpenSSL's whole line names places in its own source.
  if (typeof code === 'string' && code.startsWith('ERR_SSL_') && typeof reason === 'string')
    return `TLS failed: ${reason}`;
  if (typeof code === 'string') {
    const own = WORDS[code];
    if (own !== undefined) return own;
    const system = strerror(code);
    if (system !== code)
      return system.replace(/^[0-9]+: /, '').replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase());
  }
  const text = typeof message === 'string' ? message : String(error);
  return text.replaceAll(/\s+/g, ' ').trim() || 'failed without a reason';
}
