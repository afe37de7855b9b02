import { turnMs } from '../core/clock.ts';
import type { Deadlined, Deadlines } from '../core/deadlines.ts';
import { ProxyError } from '../core/errors.ts';
import { strerror } from '../core/strerror.ts';
import { type ConnectionHome, H1UpstreamConnection } from '../h1/upstream-connection.ts';
import { ServiceKey } from '../http/http-module.ts';
import type { UpstreamConnection } from '../http/upstream-connection.ts';
import { type Connecting, type ConnectOptions, type ConnectTarget, connectWire } from '../net/connector.ts';
import { identityOf, type PeerTls } from '../net/tls-client.ts';
import type { Wire } from '../net/wire.ts';
import { KeepalivePool } from './keepalive-pool.ts';
import type { Peer } from './peer.ts';
import type { PeerAddress } from './peer-address.ts';
import type { UpstreamGroup } from './upstream-group.ts';

/** How a location connects; made once, when it is compiled. */
export interface AcquireOptions {
  /** `proxy_connect_timeout`, ms. */
  readonly connectTimeoutMs: number;
  /** `proxy_bind`: local address, with port 0 = any; null = the kernel's choice. */
  readonly bind: { readonly address: string; readonly port: number } | null;
  /** `proxy_socket_keepalive`. */
  readonly isSocketKeepalive: boolean;
  /** TLS to the peer; null: in the clear. */
  readonly tls: PeerTls | null;
  /** Identity of the location, for `keepalive … local`. */
  readonly owner: object;
}

export interface AcquireWaiter {
  /** Connected; the TLS handshake begins. */
  onHandshake(): void;
  onConnected(connection: UpstreamConnection): void;
  /** connect-failed or connect-timeout, or `internal` when there is no socket here or none for `proxy_bind`; message in nginx's words. */
  onConnectError(error: ProxyError): void;
}

/** Connections to peers, of one worker. */
export const CONNECTIONS = new ServiceKey<PeerConnections>('connections to peers');

const CLOSES: ConnectionHome = { keep: () => false, lost: () => undefined };

/** Leases connections to peers: an idle one from the group's pool, else a new one. */
export class PeerConnections {
  readonly #deadlines: Deadlines;
  readonly #isFast: boolean;
  readonly #pools = new Set<KeepalivePool>();

  /** `isFast`: the fast layer works here (net/fast-layer-check). */
  constructor(deadlines: Deadlines, isFast: boolean) {
    this.#deadlines = deadlines;
    this.#isFast = isFast;
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
    if (pool !== null && !isFresh) {
      const idle = pool.take(peer, owner, localAddress, identityOf(options.tls));
      if (idle !== null) {
        waiter.onConnected(idle);
        return null;
      }
    }
    if (peer.address === null) {
      waiter.onConnectError(connectError(`no resolver defined to resolve ${peer.name}`, 'resolve-failed', 502));
      return null;
    }
    const connectOptions: ConnectOptions = {
      localAddress,
      localPort: options.bind === null ? 0 : options.bind.port,
      isKeepAlive: options.isSocketKeepalive,
      isFast: this.#isFast,
      tls: options.tls,
    };
    const attempt = new ConnectAttempt(this.#deadlines, waiter, (wire) => {
      const home = pool === null ? CLOSES : pool.home(peer, owner, localAddress, identityOf(options.tls));
      return new H1UpstreamConnection(wire, home, this.#deadlines);
    });
    attempt.start(targetOf(peer.address), connectOptions, options.connectTimeoutMs);
    return attempt;
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

/** Not the peer's fault, and no other peer would do better. */
const OUT_OF_RESOURCES = ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'];

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

function asProxyError(error: NodeJS.ErrnoException, { localAddress }: ConnectOptions): ProxyError {
  const words = strerror(error.code ?? error.message);
  if (error.syscall === 'bind') return ownError(`bind(${localAddress}) failed (${words})`, error);
  if (OUT_OF_RESOURCES.includes(error.code ?? '')) return ownError(`socket() failed (${words})`, error);
  return connectError(`connect() failed (${words})`, 'connect-failed', 502, error);
}

function ownError(text: string, cause: Error): ProxyError {
  return new ProxyError('internal', text, { side: 'proxy', status: 500, cause });
}

function connectError(text: string, code: ProxyError['code'], status: number, cause?: unknown): ProxyError {
  return new ProxyError(code, text, { side: 'upstream', status, retry: 'yes', cause });
}

function targetOf(address: PeerAddress): ConnectTarget {
  return address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
}
