import type { Exchange } from './exchange.ts';
import type { ServerGroup, VirtualServer } from './location.ts';

/** What a name's regex needs: a subset of `Pattern` (http/pcre). */
export interface HostPattern {
  /** Matches `host`; on success sets the captures of `ex`. */
  matches(host: string, ex: Exchange): boolean;
  test(host: string): boolean;
}

/** One `server_name` argument. Texts are lower case. */
export type ServerName =
  | { readonly kind: 'exact'; readonly name: string }
  /** `*.example.com`: `suffix` is `example.com`. `.example.com` is this with `matchesBare`. */
  | { readonly kind: 'leading'; readonly suffix: string; readonly matchesBare: boolean }
  /** `www.example.*`: `prefix` is `www.example`. */
  | { readonly kind: 'trailing'; readonly prefix: string }
  | { readonly kind: 'regex'; readonly pattern: HostPattern };

/** Names of one listening address, each with its server. Order of lookup: exact, longest leading wildcard, longest trailing one, regexes in order. */
export class NamedServers implements ServerGroup {
  readonly defaultServer: VirtualServer;
  readonly readsProxyProtocol: boolean;
  readonly isTls: boolean;
  readonly hasHttp2: boolean;
  readonly #exact = new Map<string, VirtualServer>();
  readonly #leading = new Map<string, VirtualServer>();
  readonly #trailing = new Map<string, VirtualServer>();
  readonly #regexes: { readonly pattern: HostPattern; readonly server: VirtualServer }[] = [];
  #hasNames = false;

  constructor(defaultServer: VirtualServer, readsProxyProtocol = false, isTls = false, hasHttp2 = false) {
    this.defaultServer = defaultServer;
    this.readsProxyProtocol = readsProxyProtocol;
    this.isTls = isTls;
    this.hasHttp2 = hasHttp2;
  }

  /** False: another server of this address has the name already; the first one keeps it. */
  add(name: ServerName, server: VirtualServer): boolean {
    this.#hasNames = true;
    switch (name.kind) {
      case 'exact':
        return addFirst(this.#exact, name.name, server);
      case 'leading':
        if (name.matchesBare && this.#exact.has(name.suffix)) return false;
        if (!addFirst(this.#leading, name.suffix, server)) return false;
        if (name.matchesBare) this.#exact.set(name.suffix, server);
        return true;
      case 'trailing':
        return addFirst(this.#trailing, name.prefix, server);
      case 'regex':
        this.#regexes.push({ pattern: name.pattern, server });
        return true;
    }
  }

  find(host: string, ex: Exchange): VirtualServer {
    if (!this.#hasNames) return this.defaultServer;
    const server = this.#exact.get(host) ?? this.#findWildcard(host);
    if (server !== null) return server;
    if (host === '') return this.defaultServer;
    for (const { pattern, server } of this.#regexes) {
      if (pattern.matches(host, ex)) return server;
    }
    return this.defaultServer;
  }

  findNamed(host: string): VirtualServer | null {
    if (!this.#hasNames) return null;
    const server = this.#exact.get(host) ?? this.#findWildcard(host);
    return server ?? this.#regexes.find(({ pattern }) => pattern.test(host))?.server ?? null;
  }

  #findWildcard(host: string): VirtualServer | null {
    if (this.#leading.size > 0) {
      for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
        const server = this.#leading.get(host.slice(dot + 1));
        if (server !== undefined) return server;
      }
    }
    if (this.#trailing.size > 0) {
      for (let dot = host.lastIndexOf('.'); dot > 0; dot = host.lastIndexOf('.', dot - 1)) {
        const server = this.#trailing.get(host.slice(0, dot));
        if (server !== undefined) return server;
      }
    }
    return null;
  }
}

function addFirst(map: Map<string, VirtualServer>, key: string, server: VirtualServer): boolean {
  if (map.has(key)) return false;
  map.set(key, server);
  return true;
}
