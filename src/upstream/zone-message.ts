import type { CheckState } from '../policy/health/check-machine.ts';

/**
 * What workers and the primary tell each other about upstreams with a `zone`. Plain JSON. Peers go by an id that is the same
 * in every worker and over reloads: upstream, address, and which of several alike. Instants are on the `nowMs()` scale, which
 * all processes of a machine share; null = never.
 */
export type ZoneMessage = ZoneWorkerMessage | ZonePrimaryMessage;

/** Worker to primary. */
export type ZoneWorkerMessage = ZoneOpen | ZoneReport | ZonePanic;

/** All peers of zoned upstreams of the worker's configuration; replaces its earlier list. */
export interface ZoneOpen {
  readonly kind: 'zone-open';
  readonly peers: readonly ZonePeerLimits[];
}

export interface ZonePeerLimits {
  readonly id: string;
  readonly weight: number;
  readonly maxFails: number;
  readonly failTimeoutMs: number;
  /** 0 = no limit. */
  readonly maxConns: number;
}

/** What happened in a worker since its last report. */
export interface ZoneReport {
  readonly kind: 'zone-report';
  readonly counts: readonly ZoneCount[];
  readonly events: readonly ZoneEvent[];
  readonly slots: readonly SlotReport[];
}

/** Of a peer with `max_conns`. */
export interface SlotReport {
  readonly id: string;
  /** Slots that requests wait for: a question, answered once; 0 = none. */
  readonly wants: number;
  /** Slots that this worker has no more. */
  readonly returned: number;
  /** It answers a recall. */
  readonly isAnswer: boolean;
}

/** A worker finds too few peers of an upstream up (`panic_threshold`), or enough again. */
export interface ZonePanic {
  readonly kind: 'zone-panic';
  readonly upstream: string;
  readonly isOn: boolean;
  /** For the log. */
  readonly text: string;
}

export interface ZoneCount {
  readonly id: string;
  /** Requests under way in this worker, now. */
  readonly active: number;
  /** Picks since the last report. */
  readonly picks: number;
}

/**
 * failed, ok: an attempt's outcome. trial: a window began anew. ask: the time out is over and this worker has a request for the
 * peer. yielded: gives back the right to try.
 */
export const ZONE_EVENTS = ['failed', 'ok', 'trial', 'ask', 'yielded'] as const;

export interface ZoneEvent {
  readonly id: string;
  readonly what: (typeof ZONE_EVENTS)[number];
  readonly atMs: number;
}

/** Primary to one worker. */
export type ZonePrimaryMessage = ZoneUpdate;

export interface ZoneUpdate {
  readonly kind: 'zone-update';
  readonly peers: readonly ZonePeerUpdate[];
  /** Ids whose right to try is wanted back: answered by `yielded`, unless the trial has begun. */
  readonly yield: readonly string[];
  readonly slots: readonly SlotOrder[];
}

/** Of a peer with `max_conns`. */
export interface SlotOrder {
  readonly id: string;
  /** Slots that this worker has from now on. */
  readonly granted: number;
  /** It answers a question. */
  readonly isAnswer: boolean;
  /** Unused slots that are wanted back, at most; answered at once; 0 = none. */
  readonly recall: number;
}

export interface ZonePeerUpdate {
  readonly id: string;
  /** Requests under way in the other workers. */
  readonly others: number;
  /** Picks of other workers since the last update. */
  readonly picks: number;
  /** Absent: unchanged. */
  readonly health?: ZoneHealth;
  /** What its active checks say. Absent: unchanged, or there are none. */
  readonly check?: ZoneCheck;
}

export interface ZoneCheck {
  readonly state: CheckState;
  readonly sinceMs: number;
}

export interface ZoneHealth {
  readonly fails: number;
  readonly accessedAtMs: number | null;
  readonly checkedAtMs: number | null;
  /** Failures in other workers since the last update: each lowers the effective weight. */
  readonly newFailures: number;
  /** Whether this worker may make the trial when the time out is over. */
  readonly mayTry: boolean;
}
