import type { SourcePos } from '../../config/tree.ts';
import type { VerifyMode } from '../../http/tls.ts';
import type { TlsProtocol } from '../../net/tls-context.ts';
import { NO_SESSION_CACHE, type SessionCacheConf } from '../../net/tls-sessions/session-plan.ts';

/** What the `ssl_…` directives say in one scope. File names as written. */
export interface SslConf {
  certificates: readonly string[];
  keys: readonly string[];
  /** `ssl_password_file`; ''. */
  passwordFile: string;
  protocols: readonly TlsProtocol[];
  ciphers: string;
  prefersServerCiphers: boolean;
  /** With `:` between; 'auto'. */
  curves: string;
  /** ''. */
  dhParameters: string;
  sessionTimeoutSec: number;
  sessionCache: SessionCacheConf;
  hasTickets: boolean;
  ticketKeys: readonly string[];
  /** `ssl_stapling`. */
  staples: boolean;
  /** `ssl_stapling_file`; ''. */
  staplingFile: string;
  /** `ssl_stapling_responder`; '' = the one that the certificate names. */
  staplingResponder: string;
  /** `ssl_stapling_verify`. */
  verifiesStaples: boolean;
  /** `ssl_certificate_watch`. */
  watchesCertificates: boolean;
  /** `ssl_buffer_size`. */
  bufferBytes: number;
  rejectsHandshake: boolean;
  verify: VerifyMode;
  verifyDepth: number;
  /** '' = none, as the two below. */
  clientCertificate: string;
  trustedCertificate: string;
  crl: string;
  commands: readonly (readonly [name: string, value: string])[];
  /** Where each directive in force stands, by name. */
  positions: Readonly<Record<string, SourcePos>>;
}

export function sslDefaults(): SslConf {
  return {
    certificates: [],
    keys: [],
    passwordFile: '',
    protocols: ['TLSv1.2', 'TLSv1.3'],
    ciphers: 'HIGH:!aNULL:!MD5',
    prefersServerCiphers: false,
    curves: 'auto',
    dhParameters: '',
    sessionTimeoutSec: 300,
    sessionCache: NO_SESSION_CACHE,
    hasTickets: true,
    ticketKeys: [],
    staples: false,
    staplingFile: '',
    staplingResponder: '',
    verifiesStaples: false,
    watchesCertificates: false,
    bufferBytes: 16_384,
    rejectsHandshake: false,
    verify: 'off',
    verifyDepth: 1,
    clientCertificate: '',
    trustedCertificate: '',
    crl: '',
    commands: [],
    positions: {},
  };
}
