import type { X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import type { Exchange } from './exchange.ts';

/** `ssl_verify_client`. */
export const VERIFY_MODES = ['off', 'on', 'optional', 'optional_no_ca'] as const;
export type VerifyMode = (typeof VERIFY_MODES)[number];

/** Where sessions are that clients resume by their id. They are secrets of connections: nobody may log them. */
export interface SessionCache {
  /** `id` in hexadecimal. `done` may be called before it returns. */
  find(id: string, done: (session: Buffer | null) => void): void;
  keep(id: string, session: Buffer): void;
}

/** A server's certificate, by itself, that may have an OCSP response (`ssl_stapling`). */
export interface StapledCertificate {
  readonly context: SecureContext;
  readonly isEcdsa: boolean;
  /** Signature schemes of TLS 1.3 that its key can make. */
  readonly schemes: readonly number[];
  /** DER; null: there is none at present. */
  readonly response: () => Buffer | null;
}

/** What a server makes handshakes with. */
export interface TlsMeans {
  readonly context: SecureContext;
  /** `ssl_session_cache`; null = none. */
  readonly sessions: SessionCache | null;
  readonly hasTls13: boolean;
  /** `ssl_buffer_size`: most bytes of a record. */
  readonly recordBytes: number;
  /** Null: no OCSP responses. `isSingle`: the server has no other certificate. */
  readonly stapled: { readonly certificates: readonly StapledCertificate[]; readonly isSingle: boolean } | null;
}

/** What a `server` block says about TLS, compiled. */
export interface ServerTls {
  /** Null: it has no certificate of its own; clients that ask for it get the default server's. */
  readonly means: TlsMeans | null;
  readonly verify: VerifyMode;
  /** What client certificates are checked against, as one text: two servers with the same trust have the same key. */
  readonly trustKey: string;
  /** Most certificates between a client's and the root that is trusted. */
  readonly verifyDepth: number;
  /** `ssl_reject_handshake`. */
  readonly rejectsHandshake: boolean;
}

/** Why OpenSSL does not trust a certificate: X509_V_ERR_…, and its words. */
export interface VerifyFailure {
  readonly code: number;
  readonly reason: string;
}

/** A client's connection to a TLS port, as requests see it. Everything that costs is computed when asked. */
export interface ClientTls {
  /** False: plain HTTP came to the TLS port; nothing below means anything then. */
  readonly isEncrypted: boolean;
  /** The handshake is under way. */
  readonly isHandshaking: boolean;
  /** The name that the client asked for by SNI; ''. */
  readonly requestedName: string;
  /** It, lower case, where a server of that name was found; ''. */
  readonly foundName: string;
  /** A reload has changed what client certificates are checked against since the handshake. */
  readonly isTrustChanged: boolean;
  /** `TLSv1.3`. */
  readonly protocol: string;
  /** OpenSSL's name. */
  readonly cipher: string;
  /** Ciphers and groups of the client's hello, by number. */
  readonly offeredCiphers: readonly number[];
  readonly offeredGroups: readonly number[];
  readonly alpnProtocol: string;
  readonly isSessionReused: boolean;
  /** Hexadecimal; ''. */
  readonly sessionId: string;
  /** Null: the client sent none. */
  readonly clientCertificate: X509Certificate | null;
  /** Null: trusted, or there is none. */
  readonly verifyFailure: VerifyFailure | null;
}

/** X509_V_ERR_… of which `optional_no_ca` says nothing: no chain to a root that is known. */
const NO_CA_ERRORS = [18, 19, 2, 20, 21];

export interface TlsRefusal {
  readonly status: number;
  readonly text: string;
}

/**
 * What nginx checks of a request on a TLS port before it looks at its method: that it came encrypted, that its host is the server that the
 * handshake was made with where that server wants certificates, and the certificate. Null: all is well.
 */
export function refuseOnTlsPort(ex: Exchange, tls: ClientTls): TlsRefusal | null {
  if (!tls.isEncrypted) return { status: 497, text: 'client sent plain HTTP request to HTTPS port' };
  const server = ex.server.tls;
  if (server === null || server.verify === 'off') return null;
  const isOther = tls.foundName !== '' && tls.foundName !== ex.host;
  // After a reload the handshake has proved nothing about what is trusted now.
  if (isOther || tls.isTrustChanged) return MISDIRECTED;
  const { verifyFailure } = tls;
  if (verifyFailure !== null && !(server.verify === 'optional_no_ca' && NO_CA_ERRORS.includes(verifyFailure.code))) {
    const { code, reason } = verifyFailure;
    return { status: 495, text: `client SSL certificate verify error: (${code}:${reason})` };
  }
  if (server.verify === 'on' && tls.clientCertificate === null) {
    return { status: 496, text: 'client sent no required SSL certificate' };
  }
  return null;
}

const MISDIRECTED: TlsRefusal = {
  status: 421,
  text: 'client attempted to request the server name different from the one that was negotiated',
};
