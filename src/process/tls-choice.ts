import { validateHost } from '../http/host-name.ts';
import type { ServerGroup, VirtualServer } from '../http/location.ts';
import type { ClientTls } from '../http/tls.ts';
import type { TlsChoice } from '../net/tls-server-wire.ts';

/** Which server a handshake is made with: the one that has the name of SNI; one without a certificate borrows the default server's. */
export function chooseTls(group: ServerGroup, requestedName: string): TlsChoice {
  const name = requestedName === '' ? null : validateHost(requestedName);
  const found = name === null ? null : group.findNamed(name);
  const first = group.defaultServer.tls;
  const own = (found ?? group.defaultServer).tls;
  const used = own?.context ? own : first;
  return {
    context: own?.rejectsHandshake === true ? null : (used?.context ?? null),
    asksForCertificate: (used?.verify ?? 'off') !== 'off',
    verifyDepth: used?.verifyDepth ?? 0,
    trustKey: used?.trustKey ?? '',
    foundName: found === null || name === null ? '' : name,
  };
}

/** The servers of an address as a connection sees them whose client named one by SNI: that one is the default. */
export class TlsGroups {
  readonly #groups: () => ServerGroup;
  readonly #tls: ClientTls;
  #base: ServerGroup | null = null;
  #made: ServerGroup | null = null;

  constructor(groups: () => ServerGroup, tls: ClientTls) {
    this.#groups = groups;
    this.#tls = tls;
  }

  /** Made anew only when a reload has changed the servers. */
  current(): ServerGroup {
    const base = this.#groups();
    if (this.#tls.foundName === '') return base;
    if (base !== this.#base || this.#made === null) {
      this.#base = base;
      this.#made = withDefault(base, base.findNamed(this.#tls.foundName));
    }
    return this.#made;
  }
}

function withDefault(base: ServerGroup, found: VirtualServer | null): ServerGroup {
  if (found === null) return base;
  return {
    defaultServer: found,
    readsProxyProtocol: base.readsProxyProtocol === true,
    isTls: base.isTls === true,
    find: (host, ex) => base.find(host, ex),
    findNamed: (host) => base.findNamed(host),
  };
}
