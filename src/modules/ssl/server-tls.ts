import { createHash } from 'node:crypto';
import { ConfigError } from '../../config/diagnostic.ts';
import type { SourcePos } from '../../config/tree.ts';
import type { ServerTls, TlsMeans } from '../../http/tls.ts';
import type { StaplePlan } from '../../net/ocsp/staple-plan.ts';
import { DEFAULT_SUITES, type ServerTlsSettings, serverContext } from '../../net/tls-context.ts';
import type { TlsFiles } from '../../net/tls-files.ts';
import {
  readCrl,
  readDhParameters,
  readKeyPair,
  readPasswords,
  readTicketKey,
  readTrusted,
} from '../../net/tls-material.ts';
import type { SessionPlan } from '../../net/tls-sessions/session-plan.ts';
import { applyCommands } from './conf-command.ts';
import type { SslConf } from './ssl-conf.ts';
import { stapledCertificates } from './stapling.ts';

export interface ServerTlsParts {
  readonly files: TlsFiles;
  readonly sessions: SessionPlan;
  readonly staples: StaplePlan;
  /** Something that is no reason to refuse. */
  readonly warn: (text: string, pos: SourcePos | null) => void;
}

/**
 * What a server's `ssl_…` directives come to; null: nothing. Its certificates are read even where it listens without TLS, as nginx does.
 * Throws ConfigError in nginx's words.
 */
export function serverTls(conf: SslConf, { files, sessions, staples, warn }: ServerTlsParts): ServerTls | null {
  const { certificates, verify, verifyDepth, rejectsHandshake } = conf;
  if (certificates.length === 0) {
    // What it asks of clients holds also where the certificate is the default server's.
    const isBare = verify === 'off' && !rejectsHandshake;
    return isBare ? null : { means: null, verify, trustKey: '', verifyDepth, rejectsHandshake };
  }
  const at = <T>(directive: string, work: () => T): T => standingAt(conf, directive, work);
  const named = (name: string): string => files.named(name);
  const optional = (name: string, read: (name: string, files: TlsFiles) => string[]): string[] =>
    name === '' ? [] : read(named(name), files);

  // 1. certificates
  const passwords = at('ssl_password_file', () => optional(conf.passwordFile, readPasswords));
  const pairs = at('ssl_certificate', () =>
    certificates.map((cert, i) => readKeyPair(named(cert), named(conf.keys[i] ?? ''), passwords, files)),
  );
  // 2. whom we trust
  if (conf.clientCertificate === '' && conf.trustedCertificate === '' && (verify === 'on' || verify === 'optional')) {
    at('ssl_verify_client', () => {
      throw new ConfigError('no ssl_client_certificate for ssl_verify_client');
    });
  }
  const ownCas = at('ssl_client_certificate', () => optional(conf.clientCertificate, readTrusted));
  const moreCas = at('ssl_trusted_certificate', () => optional(conf.trustedCertificate, readTrusted));
  const crl = at('ssl_crl', () => optional(conf.crl, readCrl));
  const trusted = verify === 'off' ? [] : [...ownCas, ...moreCas];
  // 3. the rest
  const dhParameters = at('ssl_dhparam', () =>
    conf.dhParameters === ''
      ? ''
      : readDhParameters(named(conf.dhParameters), files, conf.ciphers.includes('@SECLEVEL=')),
  );
  const ticketKeys = at('ssl_session_ticket_key', () =>
    conf.ticketKeys.map((name) => readTicketKey(named(name), files)),
  );
  if (conf.watchesCertificates) files.watch(fileNames(conf).map(named));
  const { protocols, ciphers, curves } = conf;
  const base = { protocols, ciphers, suites: DEFAULT_SUITES, curves, sigalgs: '', options: 0 };
  const settings: ServerTlsSettings = {
    ...(applyCommands(conf.commands, base) ?? base),
    pairs,
    trusted,
    crl: verify === 'off' ? [] : crl,
    dhParameters,
    prefersServerCiphers: conf.prefersServerCiphers,
    hasTickets: conf.hasTickets,
    ticketKeys: () => (ticketKeys.length === 0 ? files.ticketKeys.keys : ticketKeys),
    sessionTimeoutSec: conf.sessionTimeoutSec,
    verifiesClients: verify !== 'off',
    sessionTerms: [verify, String(verifyDepth), ...pairs.map(({ cert }) => cert), ...trusted, ...crl],
  };
  const context = at('ssl_certificate', () => serverContext(settings));
  const stapled = at('ssl_stapling_file', () =>
    stapledCertificates({
      conf,
      pairs,
      trusted: [...moreCas, ...ownCas],
      files,
      plan: staples,
      warn: (text) => warn(text, conf.positions['ssl_stapling'] ?? null),
      contextOf: (pair) => (pairs.length === 1 ? context : serverContext({ ...settings, pairs: [pair] })),
    }),
  );
  // Which certificate the client can use is not plain then.
  const isPlain = pairs.length === 1 || settings.sigalgs === '';
  const means: TlsMeans = {
    context,
    sessions: sessions.cache(conf.sessionCache, conf.sessionTimeoutSec * 1000),
    hasTls13: settings.protocols.includes('TLSv1.3'),
    recordBytes: conf.bufferBytes,
    stapled: stapled === null || !isPlain ? null : { certificates: stapled, isSingle: pairs.length === 1 },
  };
  const trustKey = verify === 'off' ? '' : digest([verify, String(verifyDepth), ...trusted, ...crl]);
  return { means, verify, trustKey, verifyDepth, rejectsHandshake };
}

/** All that `ssl_certificate_watch` looks at. */
function fileNames(conf: SslConf): string[] {
  const { certificates, keys, passwordFile, clientCertificate, trustedCertificate, crl, ticketKeys } = conf;
  const others = [passwordFile, clientCertificate, trustedCertificate, crl, conf.staples ? conf.staplingFile : ''];
  const names = [...certificates, ...keys, ...ticketKeys, ...others];
  return names.filter((name) => name !== '');
}

/** A finding stands at the directive that it is about. */
function standingAt<T>(conf: SslConf, directive: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(error.message, conf.positions[nameIn(error.message) ?? directive] ?? null);
  }
}

function nameIn(message: string): string | null {
  if (message.startsWith('SSL_CTX_set_cipher_list(')) return 'ssl_ciphers';
  return message.startsWith('SSL_CTX_set1_curves_list(') ? 'ssl_ecdh_curve' : null;
}

function digest(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
}
