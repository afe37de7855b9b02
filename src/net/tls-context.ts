import { constants, createHash } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { ConfigError } from '../config/diagnostic.ts';
import { opensslText } from './openssl-text.ts';
import type { KeyPair } from './tls-material.ts';
import { installTicketKeys } from './tls-sessions/ticket-keys.ts';

/** Protocols as `ssl_protocols` names them, oldest first; OpenSSL here has no SSLv2 and SSLv3. */
export const TLS_PROTOCOLS = ['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
export type TlsProtocol = (typeof TLS_PROTOCOLS)[number];

const NO_PROTOCOL: Readonly<Record<TlsProtocol, number>> = {
  SSLv2: 0,
  SSLv3: 0,
  TLSv1: constants.SSL_OP_NO_TLSv1,
  'TLSv1.1': constants.SSL_OP_NO_TLSv1_1,
  'TLSv1.2': constants.SSL_OP_NO_TLSv1_2,
  'TLSv1.3': constants.SSL_OP_NO_TLSv1_3,
};

/** OpenSSL's own suites of TLS 1.3, in its order. */
export const DEFAULT_SUITES = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';

/** What contexts of clients and servers have in common. */
export interface TlsSettings {
  readonly pairs: readonly KeyPair[];
  readonly protocols: readonly TlsProtocol[];
  /** OpenSSL's list for TLS up to 1.2, and that of TLS 1.3. */
  readonly ciphers: string;
  readonly suites: string;
  /** Names of groups with `:` between; 'auto'. */
  readonly curves: string;
  /** 'ssl_' or 'proxy_ssl_' commands may set it; '' = OpenSSL's. */
  readonly sigalgs: string;
  readonly trusted: readonly string[];
  readonly crl: readonly string[];
  /** SSL_OP_…, beside those that the protocols need. */
  readonly options: number;
}

export interface ServerTlsSettings extends TlsSettings {
  /** '' = none. */
  readonly dhParameters: string;
  readonly prefersServerCiphers: boolean;
  readonly hasTickets: boolean;
  /** Of session tickets; the first makes them. One at least. */
  readonly ticketKeys: () => readonly Buffer[];
  readonly sessionTimeoutSec: number;
  /** A client's chain is checked only in a full handshake: such servers make no tickets, which nobody could take back. */
  readonly verifiesClients: boolean;
  /** What a session depends on: those that were made with other terms are not resumed. */
  readonly sessionTerms: readonly string[];
}

/** Throws ConfigError in nginx's words. */
export function serverContext(settings: ServerTlsSettings): SecureContext {
  const { NO_TICKETS, SERVER_PREFERENCE, NO_RENEGOTIATION } = OPTIONS;
  const [ticketKey] = settings.ticketKeys();
  const context = makeContext(settings, {
    ...(settings.dhParameters === '' ? {} : { dhparam: settings.dhParameters }),
    secureOptions:
      protocolOptions(settings.protocols) |
      settings.options |
      NO_RENEGOTIATION |
      (makesTickets(settings) ? 0 : NO_TICKETS) |
      (settings.prefersServerCiphers ? SERVER_PREFERENCE : 0),
    ...(ticketKey !== undefined && { ticketKeys: ticketKey }),
    sessionTimeout: settings.sessionTimeoutSec,
    sessionIdContext: sessionContext(settings),
  });
  if (makesTickets(settings)) installTicketKeys(context, settings.ticketKeys);
  return context;
}

function makesTickets({ hasTickets, verifiesClients }: ServerTlsSettings): boolean {
  return hasTickets && !verifiesClients;
}

/** Throws ConfigError in nginx's words. */
export function clientContext(settings: TlsSettings): SecureContext {
  return makeContext(settings, { secureOptions: protocolOptions(settings.protocols) | settings.options });
}

const OPTIONS = {
  NO_TICKETS: constants.SSL_OP_NO_TICKET,
  SERVER_PREFERENCE: constants.SSL_OP_CIPHER_SERVER_PREFERENCE,
  // Signed in the table of constants, and not declared in its types.
  NO_RENEGOTIATION: (constants as unknown as Record<string, number>)['SSL_OP_NO_RENEGOTIATION'] ?? 0,
};

function makeContext(settings: TlsSettings, own: SecureContextOptions): SecureContext {
  const { pairs, protocols, ciphers, suites, curves, sigalgs, trusted, crl } = settings;
  const has13 = protocols.includes('TLSv1.3');
  const has12 = protocols.some((protocol) => protocol !== 'TLSv1.3');
  const options: SecureContextOptions = {
    ...own,
    minVersion: 'TLSv1',
    maxVersion: has13 ? 'TLSv1.3' : 'TLSv1.2',
    // An empty list means: none. Without one Node would trust its own.
    ca: [...trusted],
    ...(crl.length === 0 ? {} : { crl: [...crl] }),
    ...(sigalgs === '' ? {} : { sigalgs }),
  };
  const list = [...(has12 ? [ciphers] : []), ...(has13 ? [suites] : [])].join(':');
  attempt(() => createSecureContext({ ciphers: list }), `SSL_CTX_set_cipher_list("${ciphers}") failed`);
  if (curves !== 'auto') attempt(() => createSecureContext({ ecdhCurve: curves }), badCurves(curves));
  return attempt(
    () =>
      createSecureContext({
        ...options,
        ciphers: list,
        ecdhCurve: curves,
        cert: pairs.map((pair) => pair.cert),
        key: pairs.map((pair) => pair.key),
      }),
    'SSL_CTX_new() failed',
  );
}

/** Node says no more of it than that it failed. */
function badCurves(curves: string): string {
  const bad = curves.split(':').find((name) => {
    try {
      createSecureContext({ ecdhCurve: name });
      return false;
    } catch {
      return true; // this one
    }
  });
  return `SSL_CTX_set1_curves_list("${curves}") failed (SSL: error:0A080106:SSL routines::passed invalid argument:group '${bad}' cannot be set)`;
}

function attempt<T>(work: () => T, failed: string): T {
  try {
    return work();
  } catch (error) {
    throw new ConfigError(failed + (error instanceof Error ? opensslText(error) || reason(error, failed) : ''));
  }
}

function reason(error: Error, failed: string): string {
  return failed.includes('(SSL: ') ? '' : ` (${error.message})`;
}

function protocolOptions(protocols: readonly TlsProtocol[]): number {
  return TLS_PROTOCOLS.filter((protocol) => !protocols.includes(protocol)).reduce(
    (options, protocol) => options | NO_PROTOCOL[protocol],
    0,
  );
}

/** A session made with one server's certificates is none of another's; nor is one that was made when other clients were trusted. */
function sessionContext({ sessionTerms }: ServerTlsSettings): string {
  const hash = createHash('sha256');
  for (const term of sessionTerms) hash.update(`${term.length}:`).update(term);
  return hash.digest('hex').slice(0, 32);
}
