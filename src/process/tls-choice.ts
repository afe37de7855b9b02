import { validateHost } from '../http/host-name.ts';
import type { ServerGroup, VirtualServer } from '../http/location.ts';
import type { TlsChoice, TlsServerWire } from '../net/tls-server-wire.ts';

/** Which server a handshake is made with: the one that has the name of SNI; one without a certificate borrows the default server's. */
function chooseTls(group: ServerGroup, requestedName: string): TlsChoice {
  const name = requestedName === '' ? null : validateHost(requestedName);
  const found = name === null ? null : group.findNamed(name);
  const first = group.defaultServer.tls;
  const own = (found ?? group.defaultServer).tls;
  const used = own?.means ? own : first;
  return {
    means: own?.rejectsHandshake === true ? null : (used?.means ?? null),
    asksForCertificate: (used?.verify ?? 'off') !== 'off',
    verifyDepth: used?.verifyDepth ?? 0,
    trustKey: used?.trustKey ?? '',
    hasHttp2: group.hasHttp2 === true || (found ?? group.defaultServer).http2?.isOn === true,
    foundName: found === null || name === null ? '' : name,
  };
}

/** The servers of an address as a connection sees them whose client named one by SNI: that one is the default. */
export class TlsGroups {
  readonly #groups: () => ServerGroup;
  /** Those that `#made` was made of. */
  #base: ServerGroup;
  #made: ServerGroup;

  constructor(groups: () => ServerGroup) {
    this.#groups = groups;
    this.#base = groups();
    this.#made = this.#base;
  }

  /** What the handshake is made with. */
  choose(requestedName: string): TlsChoice {
    const choice = chooseTls(this.#groups(), requestedName);
    this.#follow(choice.foundName);
    return choice;
  }

  /** What the next request is for; made anew only when a reload has changed the servers. */
  current(wire: TlsServerWire): ServerGroup {
    if (this.#groups() === this.#base) return this.#made;
    const { isHandshaking, isEncrypted, requestedName, foundName, trustKey } = wire;
    if (!isHandshaking && isEncrypted) {
      wire.isTrustChanged = chooseTls(this.#groups(), requestedName).trustKey !== trustKey;
    }
    this.#follow(foundName);
    return this.#made;
  }

  #follow(foundName: string): void {
    this.#base = this.#groups();
    this.#made = foundName === '' ? this.#base : withDefault(this.#base, this.#base.findNamed(foundName));
  }
}

function withDefault(base: ServerGroup, found: VirtualServer | null): ServerGroup {
  if (found === null) return base;
  return {
    defaultServer: found,
    readsProxyProtocol: base.readsProxyProtocol === true,
    isTls: base.isTls === true,
    hasHttp2: base.hasHttp2 === true,
    isRetired: base.isRetired === true,
    find: (host, ex) => base.find(host, ex),
    findNamed: (host) => base.findNamed(host),
  };
}
