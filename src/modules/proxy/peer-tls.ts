import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { ConfigError } from '../../config/diagnostic.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Template, VariableCompiler } from '../../http/variable.ts';
import type { PeerTls } from '../../net/tls-client.ts';
import { clientContext, DEFAULT_SUITES, type TlsSettings } from '../../net/tls-context.ts';
import type { TlsFiles } from '../../net/tls-files.ts';
import { type KeyPair, readCrl, readKeyPair, readPasswords, readTrusted } from '../../net/tls-material.ts';
import { applyCommands } from '../ssl/conf-command.ts';
import type { ProxyConf } from './proxy-conf.ts';

/** Most names kept that `proxy_ssl_name` has come to. */
const MAX_NAMES = 1000;

/** What `proxy_ssl_…` says for a location that passes to `https://`, compiled. */
export class LocationTls {
  readonly #conf: ProxyConf;
  readonly #name: Template;
  readonly #base: Pick<PeerTls, 'context' | 'key'>;
  readonly #byName = new Map<string, PeerTls>();

  /** Throws ConfigError in nginx's words. */
  constructor(conf: ProxyConf, files: TlsFiles, variables: VariableCompiler) {
    this.#conf = conf;
    this.#name = variables.template(conf.sslName);
    const settings = readSettings(conf, files);
    const key = createHash('sha256').update(JSON.stringify(settings)).digest('hex');
    this.#base = { context: contextOf(key, settings), key };
  }

  /** For one request; `$proxy_host` is known by now. */
  for(ex: Exchange): PeerTls {
    const name = withoutPort(this.#name.evaluate(ex));
    let tls = this.#byName.get(name);
    if (tls === undefined) {
      if (this.#byName.size >= MAX_NAMES) this.#byName.clear();
      tls = this.#make(name);
      this.#byName.set(name, tls);
    }
    return tls;
  }

  #make(name: string): PeerTls {
    const { sslServerName, sslVerify, sslVerifyDepth, sslSessionReuse, httpVersion } = this.#conf;
    // RFC 6066 section 3: addresses are no names.
    const isName = name !== '' && !name.startsWith('[') && isIP(name) === 0;
    return {
      ...this.#base,
      serverName: sslServerName && isName ? name : '',
      verify: sslVerify ? { name, depth: sslVerifyDepth } : null,
      reusesSessions: sslSessionReuse,
      alpn: httpVersion === 20 ? 'h2' : '',
    };
  }
}

/** Locations with the same settings share one. */
const contexts = new Map<string, WeakRef<PeerTls['context']>>();

function contextOf(key: string, settings: TlsSettings): PeerTls['context'] {
  const known = contexts.get(key)?.deref();
  if (known !== undefined) return known;
  const context = clientContext(settings);
  for (const [old, ref] of contexts) if (ref.deref() === undefined) contexts.delete(old);
  contexts.set(key, new WeakRef(context));
  return context;
}

function readSettings(conf: ProxyConf, files: TlsFiles): TlsSettings {
  const named = (name: string): string => files.named(name);
  const optional = (name: string, read: (name: string, files: TlsFiles) => string[]): string[] =>
    name === '' ? [] : read(named(name), files);

  if (conf.sslCertificate !== '' && conf.sslCertificateKey === '') {
    throw at(
      conf,
      'proxy_ssl_certificate',
      `no "proxy_ssl_certificate_key" is defined for certificate "${conf.sslCertificate}"`,
    );
  }
  if (conf.sslVerify && conf.sslTrustedCertificate === '') {
    throw at(conf, 'proxy_ssl_verify', 'no proxy_ssl_trusted_certificate for proxy_ssl_verify');
  }
  const passwords = optional(conf.sslPasswordFile, readPasswords);
  const pairs: KeyPair[] =
    conf.sslCertificate === ''
      ? []
      : [readKeyPair(named(conf.sslCertificate), named(conf.sslCertificateKey), passwords, files)];
  const trusted = conf.sslVerify ? optional(conf.sslTrustedCertificate, readTrusted) : [];
  const crl = conf.sslVerify ? optional(conf.sslCrl, readCrl) : [];
  const base = {
    protocols: conf.sslProtocols,
    ciphers: conf.sslCiphers,
    suites: DEFAULT_SUITES,
    curves: 'auto',
    sigalgs: '',
    options: 0,
  };
  return { ...(applyCommands(conf.sslCommands, base) ?? base), pairs, trusted, crl };
}

function at(conf: ProxyConf, directive: string, text: string): ConfigError {
  return new ConfigError(text, conf.positions[directive] ?? null);
}

/** As nginx: behind the first colon, or behind the bracket of an IPv6 address, there is a port. */
function withoutPort(name: string): string {
  const colon = name.indexOf(':', name.startsWith('[') ? Math.max(name.indexOf(']'), 0) : 0);
  return colon < 0 ? name : name.slice(0, colon);
}
