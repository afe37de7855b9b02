import type { Scope } from '../config/scope.ts';
import type { ConfigSnapshot } from '../config/tree.ts';
import type { Services } from '../http/http-module.ts';
import type { ServerGroup } from '../http/location.ts';
import type { ListenAddress } from '../net/listen-address.ts';

/** One socket to accept on, and the servers behind it. */
export interface Listener {
  readonly address: ListenAddress;
  /** Servers of the address itself. */
  readonly group: ServerGroup;
  /**
   * Servers of addresses that share a wildcard's socket (`listen 80` beside `listen 127.0.0.1:80`), by the local address of the
   * accepted connection. Null: none, look no further.
   */
  readonly byLocalAddress: ReadonlyMap<string, ServerGroup> | null;
}

/** The servers for a connection accepted on `listener`. */
export function groupFor(listener: Listener, localAddress: string): ServerGroup {
  return listener.byLocalAddress?.get(localAddress) ?? listener.group;
}

/** Everything compiled from one configuration: immutable, one per worker and configuration. */
export interface Runtime {
  readonly snapshot: ConfigSnapshot;
  /** The main scope, for what the process itself reads: `main.conf(coreModule)` and kin. */
  readonly main: Scope;
  readonly services: Services;
  readonly listeners: readonly Listener[];
}
