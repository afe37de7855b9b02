import { turnMs } from '../core/clock.ts';
import type { Deadlined, Deadlines } from '../core/deadlines.ts';
import type { Peer } from './peer.ts';
import type { KeepaliveConf } from './peer-conf.ts';

/** What can lie idle in a pool: an HTTP/1.1 connection, or an HTTP/2 one without streams. */
export interface PooledConnection extends Deadlined {
  readonly isAlive: boolean;
  readonly requests: number;
  readonly openedAtMs: number;
  /** It was taken out for another request. */
  lease(): void;
  destroy(): void;
}

/** A connection's place in its pool, for life: in use, or idle in its peer's stack and in the pool's list by age. It is the connection's home. */
export class PoolPlace {
  readonly pool: KeepalivePool;
  readonly peer: Peer;
  /** `keepalive … local`: only this location uses it again; null = everybody. */
  readonly owner: object | null;
  /** `proxy_bind`: where the connection comes from; null = the kernel's choice. */
  readonly localAddress: string | null;
  /** What its TLS is (`identityOf`; `sessionKey` of HTTP/2); '' = none. Only requests that want the same use it again. */
  readonly tls: string;
  connection: PooledConnection | null = null;
  isIdle = false;
  older: PoolPlace | null = null;
  newer: PoolPlace | null = null;

  constructor(pool: KeepalivePool, peer: Peer, owner: object | null, localAddress: string | null, tls: string) {
    this.pool = pool;
    this.peer = peer;
    this.owner = owner;
    this.localAddress = localAddress;
    this.tls = tls;
  }

  keep(connection: PooledConnection): boolean {
    this.connection = connection;
    return this.pool.put(this, connection);
  }

  lost(): void {
    this.pool.remove(this);
  }
}

/**
 * Idle connections of one upstream in this worker (`keepalive N`). Last in, first out, so that the surplus grows old and is closed;
 * when it is full the oldest makes room, as in nginx.
 *
 * ```
 * #oldest <-> ... <-> #newest      all idle ones, by age
 * peer.idle = [ ..., newest ]      those of one peer, a stack
 * ```
 * An idle connection keeps listening: FIN, an error or any byte ends it (see H1UpstreamConnection, H2UpstreamSession).
 */
export class KeepalivePool {
  conf: KeepaliveConf;
  readonly #deadlines: Deadlines;
  #size = 0;
  #oldest: PoolPlace | null = null;
  #newest: PoolPlace | null = null;

  constructor(conf: KeepaliveConf, deadlines: Deadlines) {
    this.conf = conf;
    this.#deadlines = deadlines;
  }

  get size(): number {
    return this.#size;
  }

  /** The home of a new connection to `peer`. */
  home(peer: Peer, owner: object | null, localAddress: string | null = null, tls = ''): PoolPlace {
    return new PoolPlace(this, peer, owner, localAddress, tls);
  }

  /** The connection used last that leads to `peer` from that address, with that TLS; null when there is none. */
  take(peer: Peer, owner: object | null, localAddress: string | null = null, tls = ''): PooledConnection | null {
    const stack = stackOf(peer);
    for (let i = stack.length - 1; i >= 0; i--) {
      const place = stack[i] as PoolPlace;
      if (place.owner !== owner || place.pool !== this) continue;
      if (place.localAddress !== localAddress || place.tls !== tls) continue;
      this.remove(place);
      const { connection } = place;
      if (connection === null || !connection.isAlive) continue;
      connection.lease();
      return connection;
    }
    return null;
  }

  /** False: it is not to be used again. */
  put(place: PoolPlace, connection: PooledConnection): boolean {
    const { maxIdle, maxRequests, maxAgeMs, idleTimeoutMs } = this.conf;
    const now = turnMs();
    if (maxIdle === 0 || place.peer.isDown) return false;
    if (connection.requests >= maxRequests || now - connection.openedAtMs > maxAgeMs) return false;
    while (this.#oldest !== null && this.#size >= maxIdle) this.#close(this.#oldest);

    place.isIdle = true;
    place.older = this.#newest;
    if (this.#newest === null) this.#oldest = place;
    else this.#newest.newer = place;
    this.#newest = place;
    this.#size++;
    stackOf(place.peer).push(place);
    if (idleTimeoutMs > 0) this.#deadlines.set(connection, now + idleTimeoutMs);
    return true;
  }

  remove(place: PoolPlace): void {
    if (!place.isIdle) return;
    place.isIdle = false;
    this.#size--;
    if (place.older === null) this.#oldest = place.newer;
    else place.older.newer = place.newer;
    if (place.newer === null) this.#newest = place.older;
    else place.newer.older = place.older;
    place.older = null;
    place.newer = null;
    const stack = stackOf(place.peer);
    if (stack.at(-1) === place) stack.pop();
    else stack.splice(stack.indexOf(place), 1);
  }

  /** A peer left the configuration: its idle connections are closed. */
  closePeer(peer: Peer): void {
    for (const place of [...stackOf(peer)]) if (place.pool === this) this.#close(place);
  }

  closeAll(): void {
    while (this.#oldest !== null) this.#close(this.#oldest);
  }

  #close(place: PoolPlace): void {
    this.remove(place);
    place.connection?.destroy();
  }
}

/** Idle places of a peer; `peer.idle` is the pool's own slot. */
function stackOf(peer: Peer): PoolPlace[] {
  return (peer.idle ??= []) as PoolPlace[];
}
