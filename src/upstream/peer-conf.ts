/** One `server` line's parameters, frozen. */
export interface PeerConf {
  /** Address as configured: `backend:8080`, `127.0.0.1`, `unix:/x`. */
  readonly name: string;
  /** Default 1. */
  readonly weight: number;
  /** Default 1; 0 = failures are not counted. */
  readonly maxFails: number;
  /** Default 10,000. */
  readonly failTimeoutMs: number;
  /** Default 0 = no limit. */
  readonly maxConns: number;
  readonly isBackup: boolean;
  readonly isDown: boolean;
  /** `drain`: no new requests. */
  readonly isDraining: boolean;
  /** `slow_start`: time in which a peer that comes back gets to its full weight; default 0 = at once. */
  readonly slowStartMs: number;
}

/** What a `server` line has that says nothing more. */
export const DEFAULT_PEER: Omit<PeerConf, 'name'> = {
  weight: 1,
  maxFails: 1,
  failTimeoutMs: 10_000,
  maxConns: 0,
  isBackup: false,
  isDown: false,
  isDraining: false,
  slowStartMs: 0,
};

/** Connections kept to the peers of a group (`keepalive` and its companions); the same for all its peers. */
export interface KeepaliveConf {
  /** `keepalive N`: most idle connections of the whole group, per worker. Default 32. */
  readonly maxIdle: number;
  /** `keepalive … local`: a connection is only used again by the location that opened it. Default true when `keepalive` is not said. */
  readonly isLocal: boolean;
  /** `keepalive_requests`; default 1000. */
  readonly maxRequests: number;
  /** `keepalive_time`: oldest age at which it is used again; default 3,600,000. */
  readonly maxAgeMs: number;
  /** `keepalive_timeout`: longest idle time; default 60,000. */
  readonly idleTimeoutMs: number;
}

/** newest nginx's: `keepalive 32 local`. */
export const DEFAULT_KEEPALIVE: KeepaliveConf = {
  maxIdle: 32,
  isLocal: true,
  maxRequests: 1000,
  maxAgeMs: 3_600_000,
  idleTimeoutMs: 60_000,
};
