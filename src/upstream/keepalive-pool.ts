import { nowMs } from '../core/clock.ts';
import type { Deadlines } from '../core/deadlines.ts';
import type { ConnectionHome, H1UpstreamConnection } from '../h1/upstream-connection.ts';
import type { Peer } from './peer.ts';
import type { KeepaliveConf } from './peer-conf.ts';

/** One idle connection: member of its peer's stack and of the pool's list by age. */
interface IdleEntry {
  readonly connection: H1UpstreamConnection;
  readonly lease: Lease;
  older: IdleEntry | null;
  newer: IdleEntry | null;
}

/** What a connection belongs to while it lives: who may use it again. */
export interface Lease {
  readonly peer: Peer;
  /** `keepalive … local`: only this location; null = everybody. */
  readonly owner: object | null;
}

/**
 * Idle connections of one upstream in this worker (`keepalive N`). Last in, first out, so that the surplus grows old and is closed;
 * when it is full the oldest makes room, as in nginx.
 *
 * An idle connection keeps listening: FIN, an error or any byte ends it (see H1UpstreamConnection).
 */
export class KeepalivePool implements ConnectionHome {
  conf: KeepaliveConf;
  readonly #deadlines: Deadlines;
  readonly #entries = new Map<H1UpstreamConnection, IdleEntry>();
  readonly #leases = new WeakMap<H1UpstreamConnection, Lease>();
  readonly #stacks = new Map<Peer, IdleEntry[]>();
  #oldest: IdleEntry | null = null;
  #newest: IdleEntry | null = null;

  constructor(conf: KeepaliveConf, deadlines: Deadlines) {
    this.conf = conf;
    this.#deadlines = deadlines;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A new connection that will come home here. */
  adopt(connection: H1UpstreamConnection, lease: Lease): void {
    this.#leases.set(connection, lease);
  }

  /** The connection used last that leads to `peer`; null when there is none. */
  take(lease: Lease): H1UpstreamConnection | null {
    const stack = this.#stacks.get(lease.peer);
    if (stack === undefined) return null;
    for (let i = stack.length - 1; i >= 0; i--) {
      const entry = stack[i] as IdleEntry;
      if (entry.lease.owner !== lease.owner) continue;
      this.#remove(entry, i);
      if (!entry.connection.isAlive) continue;
      entry.connection.lease();
      return entry.connection;
    }
    return null;
  }

  keep(connection: H1UpstreamConnection): boolean {
    const { maxIdle, maxRequests, maxAgeMs, idleTimeoutMs } = this.conf;
    const lease = this.#leases.get(connection);
    const now = nowMs();
    if (lease === undefined || maxIdle === 0 || lease.peer.isDown) return false;
    if (connection.requests >= maxRequests || now - connection.openedAtMs > maxAgeMs) return false;
    while (this.#oldest !== null && this.#entries.size >= maxIdle) {
      this.#oldest.connection.destroy();
      this.#remove(this.#oldest, -1);
    }

    const entry: IdleEntry = { connection, lease, older: this.#newest, newer: null };
    if (this.#newest === null) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
    this.#entries.set(connection, entry);
    const stack = this.#stacks.get(lease.peer);
    if (stack === undefined) this.#stacks.set(lease.peer, [entry]);
    else stack.push(entry);
    if (idleTimeoutMs > 0) this.#deadlines.set(connection, now + idleTimeoutMs);
    return true;
  }

  lost(connection: H1UpstreamConnection): void {
    const entry = this.#entries.get(connection);
    if (entry !== undefined) this.#remove(entry, -1);
  }

  /** A peer left the configuration: its idle connections are closed. */
  closePeer(peer: Peer): void {
    for (const entry of [...(this.#stacks.get(peer) ?? [])]) {
      this.#remove(entry, -1);
      entry.connection.destroy();
    }
  }

  closeAll(): void {
    for (const peer of [...this.#stacks.keys()]) this.closePeer(peer);
  }

  #remove(entry: IdleEntry, stackIndex: number): void {
    this.#entries.delete(entry.connection);
    if (entry.older === null) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === null) this.#newest = entry.older;
    else entry.newer.older = entry.older;
    const { peer } = entry.lease;
    const stack = this.#stacks.get(peer);
    if (stack === undefined) return;
    const at = stackIndex >= 0 ? stackIndex : stack.lastIndexOf(entry);
    if (at === stack.length - 1) stack.pop();
    else if (at >= 0) stack.splice(at, 1);
    if (stack.length === 0) this.#stacks.delete(peer);
  }
}
