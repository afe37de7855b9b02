import { turnMs } from '../core/clock.ts';
import type { Deadlined, Deadlines } from '../core/deadlines.ts';
import type { ProxyError } from '../core/errors.ts';
import { type ConnectionHome, H1UpstreamConnection } from '../h1/upstream-connection.ts';
import { ServiceKey } from '../http/http-module.ts';
import { type Connecting, type ConnectOptions, type ConnectTarget, connectWire } from '../net/connector.ts';
import { identityOf, type PeerTls } from '../net/tls-client.ts';
import type { Wire } from '../net/wire.ts';
import { type AcquireWaiter, asProxyError, connectError } from './connect-error.ts';
import { KeepalivePool } from './keepalive-pool.ts';
import type { Peer } from './peer.ts';
import type { PeerAddress } from './peer-address.ts';
import { type SessionWish, SharedSessions, sessionKey } from './shared-sessions.ts';
import type { UpstreamGroup } from './upstream-group.ts';

/** How a location connects; made once, when it is compiled. */
export interface AcquireOptions {
  /** `proxy_connect_timeout`, ms. */
  readonly connectTimeoutMs: number;
  /** `proxy_bind`: local address, with port 0 = any; null = the kernel's choice. */
  readonly bind: { readonly address: string; readonly port: number } | null;
  /** `proxy_socket_keepalive`. */
  readonly isSocketKeepalive: boolean;
  /** `proxy_http_version 2`. */
  readonly isHttp2: boolean;
  /** TLS to the peer; null: in the clear. */
  readonly tls: PeerTls | null;
  /** Identity of the location, for `keepalive … local`. */
  readonly owner: object;
}

export type { AcquireWaiter } from './connect-error.ts';

/** Connections to peers, of one worker. */
export const CONNECTIONS = new ServiceKey<PeerConnections>('connections to peers');

const CLOSES: ConnectionHome = { keep: () => false, lost: () => undefined };

/** Leases connections to peers: an idle one from the group's pool, else a new one. */
export class PeerConnections {
  readonly #deadlines: Deadlines;
  readonly #isFast: boolean;
  readonly #pools = new Set<KeepalivePool>();
  readonly #sessions: SharedSessions;

  /** `isFast`: the fast layer works here (net/fast-layer-check). */
  constructor(deadlines: Deadlines, isFast: boolean) {
    this.#deadlines = deadlines;
    this.#isFast = isFast;
    this.#sessions = new SharedSessions(deadlines);
  }

  /**
   * Calls `waiter.onConnected` before returning when an idle connection is at hand; else later, or `onConnectError`.
   * `isFresh`: never an idle one (the retry after a reused connection failed). Null when it was settled at once.
   */
  acquire(
    group: UpstreamGroup,
    peer: Peer,
    options: AcquireOptions,
    isFresh: boolean,
    waiter: AcquireWaiter,
  ): Connecting | null {
    const pool = this.#poolOf(group);
    const owner = pool?.conf.isLocal === true ? options.owner : null;
    const localAddress = options.bind === null ? null : options.bind.address;
    if (options.isHttp2) return this.#acquireStream(peer, pool, options, isFresh, waiter);
    if (pool !== null && !isFresh) {
      const idle = pool.take(peer, owner, localAddress, identityOf(options.tls)) as H1UpstreamConnection | null;
      if (idle !== null) {
        waiter.onConnected(idle);
        return null;
      }
    }
    if (peer.address === null) {
      waiter.onConnectError(unresolved(peer));
      return null;
    }
    const attempt = new ConnectAttempt(this.#deadlines, waiter, (wire) => {
      const home = pool === null ? CLOSES : pool.home(peer, owner, localAddress, identityOf(options.tls));
      return new H1UpstreamConnection(wire, home, this.#deadlines);
    });
    attempt.start(targetOf(peer.address), this.#connectOptions(options), options.connectTimeoutMs);
    return attempt;
  }

  /** The same over HTTP/2: a stream of a connection that others use, too. */
  #acquireStream(
    peer: Peer,
    pool: KeepalivePool | null,
    options: AcquireOptions,
    isFresh: boolean,
    waiter: AcquireWaiter,
  ): Connecting | null {
    if (peer.address === null) {
      waiter.onConnectError(unresolved(peer));
      return null;
    }
    const wish: SessionWish = {
      peer,
      pool,
      owner: pool?.conf.isLocal === true ? options.owner : null,
      key: sessionKey(identityOf(options.tls), options.bind?.address ?? null),
      target: targetOf(peer.address),
      options: this.#connectOptions(options),
      timeoutMs: options.connectTimeoutMs,
      authority: peer.name,
    };
    return this.#sessions.acquire(wish, isFresh, waiter);
  }

  #connectOptions({ bind, isSocketKeepalive, tls }: AcquireOptions): ConnectOptions {
    return {
      localAddress: bind === null ? null : bind.address,
      localPort: bind === null ? 0 : bind.port,
      isKeepAlive: isSocketKeepalive,
      isFast: this.#isFast,
      tls,
    };
  }

  /** Peers that left the configuration. */
  closePeers(peers: readonly Peer[]): void {
    for (const peer of peers) for (const pool of this.#pools) pool.closePeer(peer);
  }

  /** Drain: nothing idle stays. */
  closeIdle(): void {
    for (const pool of this.#pools) pool.closeAll();
  }

  #poolOf(group: UpstreamGroup): KeepalivePool | null {
    if (group.keepalive === null) return null;
    let pool = group.carried.pool as KeepalivePool | null;
    if (pool === null) {
      pool = new KeepalivePool(group.keepalive, this.#deadlines);
      group.carried.pool = pool;
      this.#pools.add(pool);
    } else if (pool.conf !== group.keepalive) pool.conf = group.keepalive;
    return pool;
  }
}

/** One connect(2) under way, with its deadline. */
class ConnectAttempt implements Connecting, Deadlined {
  deadlineAtMs = Number.POSITIVE_INFINITY;
  sweepIndex = -1;
  readonly #deadlines: Deadlines;
  readonly #waiter: AcquireWaiter;
  readonly #wrap: (wire: Wire) => H1UpstreamConnection;
  #connecting: Connecting | null = null;

  constructor(deadlines: Deadlines, waiter: AcquireWaiter, wrap: (wire: Wire) => H1UpstreamConnection) {
    this.#deadlines = deadlines;
    this.#waiter = waiter;
    this.#wrap = wrap;
  }

  start(target: ConnectTarget, options: ConnectOptions, timeoutMs: number): void {
    if (timeoutMs > 0) this.#deadlines.set(this, turnMs() + timeoutMs);
    this.#connecting = connectWire(target, options, {
      onHandshake: () => {
        // As in nginx it has as long as connecting had.
        if (timeoutMs > 0) this.#deadlines.set(this, turnMs() + timeoutMs);
        this.#waiter.onHandshake();
      },
      onHandshakeError: (text) => {
        this.#deadlines.remove(this);
        this.#waiter.onConnectError(connectError(text, 'handshake-failed', 502));
      },
      onConnected: (wire) => {
        this.#deadlines.remove(this);
        this.#waiter.onConnected(this.#wrap(wire));
      },
      onConnectError: (error) => {
        this.#deadlines.remove(this);
        this.#waiter.onConnectError(asProxyError(error, options));
      },
    });
  }

  cancel(): void {
    this.#deadlines.remove(this);
    this.#connecting?.cancel();
  }

  onDeadline(): void {
    this.cancel();
    this.#waiter.onConnectError(connectError('upstream timed out (110: Connection timed out)', 'connect-timeout', 504));
  }
}

function unresolved(peer: Peer): ProxyError {
  return connectError(`no resolver defined to resolve ${peer.name}`, 'resolve-failed', 502);
}

function targetOf(address: PeerAddress): ConnectTarget {
  return address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
}
