import { nowMs } from '../../core/clock.ts';
import { ServiceKey } from '../../http/http-module.ts';
import type { SessionCache } from '../../http/tls.ts';
import type { SessionZone } from './session-arbiter.ts';
import type { SessionPort } from './session-port.ts';
import { SessionStore } from './session-store.ts';

/** `ssl_session_cache`. */
export interface SessionCacheConf {
  /** Sessions that each worker keeps for itself; 0 = none. */
  readonly builtin: number;
  /** Null: none is shared. */
  readonly shared: SessionZone | null;
}

export const NO_SESSION_CACHE: SessionCacheConf = { builtin: 0, shared: null };

/** OpenSSL's default (`builtin` without a number). */
export const DEFAULT_BUILTIN = 20_480;

/** Room of a `builtin` cache, whatever its number says: client certificates make sessions long. */
const BUILTIN_MAX_BYTES = 64 * 1024 * 1024;

/** The session caches of the configuration being compiled. */
export const TLS_SESSIONS = new ServiceKey<SessionPlan>('TLS sessions');

export class SessionPlan {
  readonly #port: SessionPort;
  readonly #zones = new Map<string, SessionZone>();

  constructor(port: SessionPort) {
    this.#port = port;
  }

  get zones(): SessionZone[] {
    return [...this.#zones.values()];
  }

  /** Null: nothing is kept. */
  cache({ builtin, shared }: SessionCacheConf, lifeMs: number): SessionCache | null {
    if (shared !== null) this.#zones.set(shared.name, shared);
    const own = builtin === 0 ? null : new BuiltinCache(builtin, lifeMs);
    const all = shared === null ? null : new SharedCache(this.#port, shared.name, lifeMs);
    return own !== null && all !== null ? new BothCaches(own, all) : (own ?? all);
  }
}

class BuiltinCache implements SessionCache {
  readonly #store: SessionStore;
  readonly #lifeMs: number;

  constructor(count: number, lifeMs: number) {
    this.#store = new SessionStore(BUILTIN_MAX_BYTES, count);
    this.#lifeMs = lifeMs;
  }

  find(id: string, done: (session: Buffer | null) => void): void {
    const session = this.#store.find(id, nowMs());
    done(session === null ? null : Buffer.from(session, 'base64'));
  }

  keep(id: string, session: Buffer): void {
    const now = nowMs();
    this.#store.keep(id, session.toString('base64'), now + this.#lifeMs, now);
  }
}

class SharedCache implements SessionCache {
  readonly #port: SessionPort;
  readonly #zone: string;
  readonly #lifeMs: number;

  constructor(port: SessionPort, zone: string, lifeMs: number) {
    this.#port = port;
    this.#zone = zone;
    this.#lifeMs = lifeMs;
  }

  find(id: string, done: (session: Buffer | null) => void): void {
    this.#port.find(this.#zone, id, done);
  }

  keep(id: string, session: Buffer): void {
    this.#port.keep(this.#zone, id, session, this.#lifeMs);
  }
}

/** The worker's own first: it asks nobody. */
class BothCaches implements SessionCache {
  readonly #own: SessionCache;
  readonly #all: SessionCache;

  constructor(own: SessionCache, all: SessionCache) {
    this.#own = own;
    this.#all = all;
  }

  find(id: string, done: (session: Buffer | null) => void): void {
    this.#own.find(id, (session) => (session === null ? this.#all.find(id, done) : done(session)));
  }

  keep(id: string, session: Buffer): void {
    this.#own.keep(id, session);
    this.#all.keep(id, session);
  }
}
