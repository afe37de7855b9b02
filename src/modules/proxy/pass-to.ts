import { ConfigError } from '../../config/diagnostic.ts';
import { escapeUri } from '../../http/escape-uri.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Template, VariableCompiler } from '../../http/variable.ts';
import { normalName } from '../../upstream/name-resolver.ts';
import { parsePassTarget } from '../../upstream/pass-target.ts';
import { resolvedGroup } from '../../upstream/resolved-group.ts';
import type { ResolvedAddress } from '../../upstream/resolved-names.ts';
import type { UpstreamGroup } from '../../upstream/upstream-group.ts';
import type { UpstreamRegistry } from '../../upstream/upstream-registry.ts';
import type { NameLookup } from '../resolver/resolver-module.ts';
import { behindScheme, defaultPort, hasVariables, type ProxyUrl, parseProxyUrl } from './proxy-url.ts';

const DOT = 0x2e;

/** Where one request goes. */
export interface Destination {
  /** Null: `name` has to be looked up first. */
  readonly group: UpstreamGroup | null;
  readonly name: UnresolvedName | null;
  /** `$proxy_host`, `$proxy_port`. */
  readonly host: string;
  readonly port: string;
  /** `https://`. */
  readonly isTls: boolean;
  /** URI of `proxy_pass`; '' = none. */
  readonly uri: string;
}

/** A host that only a `resolver` knows. */
export class UnresolvedName {
  readonly host: string;
  /** Null: there is no `resolver` here. */
  readonly lookup: NameLookup | null;
  readonly #port: number;

  constructor(host: string, port: number, lookup: NameLookup | null) {
    this.host = host;
    this.lookup = lookup;
    this.#port = port;
  }

  group(addresses: readonly ResolvedAddress[]): UpstreamGroup {
    return resolvedGroup(this.host, this.#port, addresses);
  }
}

/** `proxy_pass` of a location, compiled. */
export interface PassTo {
  /** Or the status to answer with when there is no way to it, which the error log says. */
  destination(ex: Exchange): Destination | number;
  /** Path and query for the peer. */
  target(ex: Exchange, destination: Destination): string;
}

/** Throws ConfigError in nginx's words. `matchedLength`: characters of the URI that the location's prefix stands for. `lookup`: for hosts that variables name. */
export function compilePassTo(
  pass: string,
  matchedLength: number,
  registry: UpstreamRegistry,
  variables: VariableCompiler,
  lookup: NameLookup | null,
): PassTo {
  return hasVariables(pass)
    ? new VariablePass(variables.template(pass), registry, lookup)
    : new FixedPass(parseProxyUrl(pass), matchedLength, registry);
}

class FixedPass implements PassTo {
  readonly #destination: Destination;
  readonly #matchedLength: number;
  /** Last segment of the URI that is put in the prefix's place, as far as it is written; null: its path has an end already. */
  readonly #openSegment: string | null;

  constructor(url: ProxyUrl, matchedLength: number, registry: UpstreamRegistry) {
    const group = registry.forPass(url.authority, defaultPort(url));
    this.#destination = { group, name: null, host: url.host, port: url.port, isTls: url.isTls, uri: url.uri };
    this.#matchedLength = matchedLength;
    this.#openSegment = url.uri.includes('?') ? null : url.uri.slice(url.uri.lastIndexOf('/') + 1);
  }

  destination(ex: Exchange): Destination | number {
    if (this.#destination.uri === '' || !this.#leadsUp(ex.uri)) return this.#destination;
    ex.location.errorLog.write('error', ex, `"${ex.uri}" leads out of "${this.#destination.uri}"`);
    return 400;
  }

  target(ex: Exchange, { uri }: Destination): string {
    if (uri === '') return clientTarget(ex);
    // After `rewrite … break` nobody knows what the location's prefix has become: the path is sent as a whole.
    if (!ex.isPrefixValid) return withArgs(ex, escapedPath(ex, 0));
    return withArgs(ex, uri + escapedPath(ex, this.#matchedLength));
  }

  /**
   * Paths are normalised before a location is chosen, but a prefix may end within a segment: of `/api../x`, `location /api` leaves `../x`,
   * and with `proxy_pass http://peer/v1/` the peer would be asked for `/v1/../x`.
   */
  #leadsUp(path: string): boolean {
    const start = this.#matchedLength;
    if (path.charCodeAt(start) !== DOT || this.#openSegment === null) return false;
    const slash = path.indexOf('/', start);
    const segment = this.#openSegment + path.slice(start, slash < 0 ? path.length : slash);
    return segment === '.' || segment === '..';
  }
}

/** With variables, a URI that they give is sent as it is. */
class VariablePass implements PassTo {
  readonly #template: Template;
  readonly #registry: UpstreamRegistry;
  readonly #lookup: NameLookup | null;

  constructor(template: Template, registry: UpstreamRegistry, lookup: NameLookup | null) {
    this.#template = template;
    this.#registry = registry;
    this.#lookup = lookup;
  }

  destination(ex: Exchange): Destination | number {
    const text = this.#template.evaluate(ex);
    const { errorLog } = ex.location;
    try {
      if (text.length <= 'http://'.length) throw new ConfigError('invalid URL prefix');
      const url = parseProxyUrl(text);
      const group = this.#group(url);
      const name = group === null ? this.#unresolved(url) : null;
      return { group, name, host: url.host, port: url.port, isTls: url.isTls, uri: url.uri };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      errorLog.write(
        'error',
        ex,
        error.message === 'invalid URL prefix' ? `${error.message} in "${text}"` : error.message,
      );
      return 500;
    }
  }

  target(ex: Exchange, { uri }: Destination): string {
    return uri === '' ? clientTarget(ex) : uri;
  }

  #unresolved(url: ProxyUrl): UnresolvedName {
    const { host, port } = parsePassTarget(url.authority, defaultPort(url));
    return new UnresolvedName(this.#lookup === null ? host : normalName(host), port, this.#lookup);
  }

  /** A finding names all that stands behind the scheme. */
  #group(url: ProxyUrl): UpstreamGroup | null {
    const { authority } = url;
    try {
      return this.#registry.forVariable(authority, defaultPort(url));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new ConfigError(error.message.replace(`"${authority}"`, () => `"${behindScheme(url)}"`));
    }
  }
}

/** As the client sent it, unless something has rewritten it since, or the absolute form had no path (`GET http://a?q`). */
function clientTarget(ex: Exchange): string {
  return ex.isUriRewritten || !ex.request.target.startsWith('/') ? withArgs(ex, escapedPath(ex, 0)) : ex.request.target;
}

/** The path from `start` on, escaped again where it was decoded or replaced. */
function escapedPath(ex: Exchange, start: number): string {
  const path = ex.uri.slice(start);
  return ex.isUriChanged ? escapeUri(path) : path;
}

function withArgs(ex: Exchange, path: string): string {
  return ex.args === '' ? path : `${path}?${ex.args}`;
}
