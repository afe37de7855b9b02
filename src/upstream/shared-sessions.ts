import { turnMs } from '../core/clock.ts';
import type { Deadlines } from '../core/deadlines.ts';
import { type H2UpstreamSession, MOST_STREAMS } from '../h2/upstream-session.ts';
import type { Connecting, ConnectOptions, ConnectTarget } from '../net/connector.ts';
import { type AcquireWaiter, connectError } from './connect-error.ts';
import type { KeepalivePool, PoolPlace } from './keepalive-pool.ts';
import type { Peer } from './peer.ts';
import { SessionAttempt, type SessionWait } from './session-attempt.ts';

/** A session that somebody wants: like it are those with the same peer, pool and key. */
export interface SessionWish {
  readonly peer: Peer;
  /** Null: `keepalive 0`, a connection for each request. */
  readonly pool: KeepalivePool | null;
  /** `keepalive … local`. */
  readonly owner: object | null;
  /** What the connection is: see `sessionKey`. */
  readonly key: string;
  readonly target: ConnectTarget;
  readonly options: ConnectOptions;
  readonly timeoutMs: number;
  /** `:authority` of requests without Host. */
  readonly authority: string;
}

interface OpenSession {
  readonly session: H2UpstreamSession;
  readonly wish: SessionWish;
}

interface PendingSession {
  readonly attempt: SessionAttempt;
  readonly wish: SessionWish;
}

/**
 * HTTP/2 connections to peers. Unlike nginx, which uses one for one request at a time, requests share them: as many as the peer allows, MOST_STREAMS at
 * most; beyond that another one is opened. It saves a handshake for each request that comes while others are under way, and peers their connections. Only those of
 * groups that keep connections are shared, and `keepalive_requests` and `keepalive_time` end a session for new requests as they end an idle one.
 *
 * ```
 * pending --SETTINGS--> open: with streams, shared <--> idle: in the KeepalivePool
 * ```
 */
export class SharedSessions {
  readonly #deadlines: Deadlines;
  readonly #open = new Map<Peer, OpenSession[]>();
  readonly #pending = new Map<Peer, PendingSession[]>();

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  /** As PeerConnections.acquire. `isFresh`: nothing that was open before. */
  acquire(wish: SessionWish, isFresh: boolean, waiter: AcquireWaiter): Connecting | null {
    const { pool, peer, owner, key } = wish;
    if (pool !== null && !isFresh) {
      const known = this.#shared(wish, pool) ?? (pool.take(peer, owner, null, key) as H2UpstreamSession | null);
      if (known !== null) {
        if (known.streams === 0) add(this.#open, peer, { session: known, wish });
        waiter.onConnected(known.open(true, wish.authority));
        return null;
      }
    }
    const joined = pool === null ? undefined : this.#pending.get(peer)?.find((one) => canJoin(one, wish));
    if (joined !== undefined) return joined.attempt.join(waiter, wish.timeoutMs);
    return this.#connect(wish, waiter);
  }

  #shared(wish: SessionWish, pool: KeepalivePool): H2UpstreamSession | null {
    const { maxRequests, maxAgeMs } = pool.conf;
    for (const { session, wish: its } of this.#open.get(wish.peer) ?? []) {
      if (!isAlike(its, wish) || !session.hasRoom || session.requests >= maxRequests) continue;
      if (turnMs() - session.openedAtMs <= maxAgeMs) return session;
    }
    return null;
  }

  #connect(wish: SessionWish, waiter: AcquireWaiter): Connecting {
    const { peer } = wish;
    const attempt: SessionAttempt = new SessionAttempt(
      this.#deadlines,
      (session, waits) => {
        const { pool } = wish;
        const place = pool?.home(peer, wish.owner, null, wish.key) ?? null;
        this.#adopt(session, wish, place);
        const live = waits.filter((wait) => wait.settle());
        // All leases first: what becomes of one must not leave the session idle while others still get theirs.
        const streams = live.map(() => (session.hasRoom ? session.open(false, wish.authority) : null));
        live.forEach((wait, i) => {
          const stream = streams[i] ?? null;
          if (wait.isGivenUp) stream?.destroy();
          else if (stream !== null) wait.waiter.onConnected(stream);
          else this.#turnAway(session, wish, wait);
        });
        if (live.length === 0) session.destroy();
      },
      () => remove(this.#pending, peer, (one) => one.attempt === attempt),
    );
    add(this.#pending, peer, { attempt, wish });
    const wait = attempt.join(waiter, wish.timeoutMs);
    attempt.start(wish.target, wish.options);
    return wait;
  }

  #turnAway(session: H2UpstreamSession, wish: SessionWish, wait: SessionWait): void {
    const { waiter } = wait;
    if (!session.isAlive) waiter.onConnectError(session.failure());
    // There were more who waited than the peer takes at once.
    else if (session.streams > 0) wait.next = this.acquire(wish, false, waiter);
    else {
      session.destroy();
      waiter.onConnectError(connectError('upstream takes no HTTP/2 streams', 'handshake-failed', 502));
    }
  }

  #adopt(session: H2UpstreamSession, wish: SessionWish, place: PoolPlace | null): void {
    const { peer } = wish;
    const forget = (): void => remove(this.#open, peer, (one) => one.session === session);
    session.home = {
      keep: () => {
        forget();
        return place?.keep(session) === true;
      },
      lost: () => {
        forget();
        place?.lost();
      },
    };
    add(this.#open, peer, { session, wish });
  }
}

/** Connections may stand for one another where protocol, TLS and local address are the same. */
export function sessionKey(tlsIdentity: string, localAddress: string | null): string {
  return `h2\0${localAddress ?? ''}\0${tlsIdentity}`;
}

function isAlike(a: SessionWish, b: SessionWish): boolean {
  return a.pool === b.pool && a.owner === b.owner && a.key === b.key;
}

function canJoin({ attempt, wish }: PendingSession, wanted: SessionWish): boolean {
  return isAlike(wish, wanted) && attempt.waits.size < MOST_STREAMS;
}

function add<T>(map: Map<Peer, T[]>, peer: Peer, one: T): void {
  const list = map.get(peer);
  if (list === undefined) map.set(peer, [one]);
  else list.push(one);
}

function remove<T>(map: Map<Peer, T[]>, peer: Peer, isIt: (one: T) => boolean): void {
  const list = map.get(peer);
  const at = list?.findIndex(isIt) ?? -1;
  if (list === undefined || at < 0) return;
  list.splice(at, 1);
  if (list.length === 0) map.delete(peer);
}
