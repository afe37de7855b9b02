/**
 * The numbers of a peer that a policy may see and change. The live peer (`upstream/peer.ts`) has them; tests make plain objects.
 * Every field is nginx's of the same name, so that its rules can be followed to the letter.
 */
export interface PeerView {
  /** `weight=`; 1 or more. */
  weight: number;
  /** Sinks by `weight / maxFails` with every failure, grows back by one with every look; 0..weight. */
  effectiveWeight: number;
  /** Smooth round robin's running sum. */
  currentWeight: number;
  /** Requests under way on it: of this worker, with a zone of all workers. */
  active: number;
  /** `max_conns=`; 0 = no limit. */
  maxConns: number;
  /** Failures that count at present. */
  fails: number;
  /** `max_fails=`; 0 = failures don't count. */
  maxFails: number;
  /** `fail_timeout=`, in ms: the window of the failures and the time out of service. */
  failTimeoutMs: number;
  /** Instant of the last failure; -Infinity = never. */
  accessedAtMs: number;
  /** Start of the present window; set anew by the trial, so that only one request tries. -Infinity = never. */
  checkedAtMs: number;
  /** `down`, or without an address. */
  isDown: boolean;
  /** False: another worker has the trial of this peer (zones); without a zone always true. */
  mayTry: boolean;
  /** Requests that may still begin, where workers share `max_conns` exactly (zones); null: `active` is held against `maxConns`. */
  readonly lease: { readonly left: number } | null;
  /** Name that `hash … consistent` places on the ring: as configured, `host:port` or `unix:/path`. */
  readonly name: string;
}

export interface PeerLimits {
  readonly weight?: number;
  readonly maxConns?: number;
  readonly maxFails?: number;
  readonly failTimeoutMs?: number;
  readonly isDown?: boolean;
}

/** A fresh peer's numbers; nginx's defaults where nothing is said. */
export function peerView(name: string, limits: PeerLimits = {}): PeerView {
  const weight = limits.weight ?? 1;
  return {
    weight,
    effectiveWeight: weight,
    currentWeight: 0,
    active: 0,
    maxConns: limits.maxConns ?? 0,
    fails: 0,
    maxFails: limits.maxFails ?? 1,
    failTimeoutMs: limits.failTimeoutMs ?? 10_000,
    accessedAtMs: Number.NEGATIVE_INFINITY,
    checkedAtMs: Number.NEGATIVE_INFINITY,
    isDown: limits.isDown ?? false,
    mayTry: true,
    lease: null,
    name,
  };
}
