import type { ServerGroup } from '../http/location.ts';
import type { Acceptor } from '../net/acceptor.ts';
import type { ListenAddress } from '../net/listen-address.ts';
import { groupFor, type Listener } from '../runtime/runtime.ts';

/** A socket that is being accepted on, and the servers behind it at present. Connections ask it at each request, so that they follow reloads. */
export class AcceptPoint {
  acceptor: Acceptor | null = null;
  #listener: Listener;
  readonly #group = (): ServerGroup => this.#listener.group;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  get address(): ListenAddress {
    return this.#listener.address;
  }

  /** Some address behind it is TLS. */
  get isTls(): boolean {
    const { group, byLocalAddress } = this.#listener;
    if (byLocalAddress === null || group.isTls === true) return group.isTls === true;
    return [...byLocalAddress.values()].some((one) => one.isTls === true);
  }

  /** A new configuration is in force. */
  follow(listener: Listener): void {
    this.#listener = listener;
  }

  /** The address is gone from the configuration; connections that were made live on with what they had. */
  retire(): void {
    const { group, byLocalAddress } = this.#listener;
    this.#listener = {
      ...this.#listener,
      group: retired(group),
      byLocalAddress: byLocalAddress && new Map([...byLocalAddress].map(([host, one]) => [host, retired(one)])),
    };
  }

  /** What a connection asks. One function for all, unless the servers depend on the local address (asked of the kernel at need). */
  groupsOf(wire: { readonly localAddress?: string | undefined }): () => ServerGroup {
    const isSplit = this.#listener.byLocalAddress !== null;
    return isSplit ? () => groupFor(this.#listener, wire.localAddress ?? '') : this.#group;
  }
}

function retired(group: ServerGroup): ServerGroup {
  return {
    defaultServer: group.defaultServer,
    readsProxyProtocol: group.readsProxyProtocol === true,
    isTls: group.isTls === true,
    hasHttp2: group.hasHttp2 === true,
    isRetired: true,
    find: (host, ex) => group.find(host, ex),
    findNamed: (host) => group.findNamed(host),
  };
}
