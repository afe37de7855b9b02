import type { ConnectionVerdict } from '../../policy/limit/admit-connection.ts';
import type { RequestVerdict } from '../../policy/limit/admit-request.ts';

/**
 * What workers and the primary tell each other about `limit_req` and `limit_conn` zones. Plain JSON; instants are whole ms on the `nowMs()`
 * scale, which all processes of a machine share.
 */
export type LimitMessage = LimitWorkerMessage | LimitPrimaryMessage;

/** Worker to primary. */
export type LimitWorkerMessage = LimitOperations | LimitHandover;

/** Primary to one worker. */
export type LimitPrimaryMessage = LimitAnswers;

/** All that one turn of a worker's event loop had to ask and to give back, in its order. */
export interface LimitOperations {
  readonly kind: 'limit-operations';
  readonly operations: readonly LimitOperation[];
}

export type LimitOperation =
  | {
      readonly what: 'request';
      readonly id: number;
      readonly atMs: number;
      readonly limits: readonly ZonedRequestLimit[];
    }
  | { readonly what: 'connection'; readonly id: number; readonly limits: readonly ZonedConnectionLimit[] }
  | { readonly what: 'release'; readonly limits: readonly ZonedKey[] };

/** A key in a zone (`LimitZone.id`). */
export interface ZonedKey {
  readonly zone: string;
  readonly key: string;
}

/** One `limit_req` with the request's key; milli-requests. */
export interface ZonedRequestLimit extends ZonedKey {
  readonly burst: number;
  readonly delay: number;
}

/** One `limit_conn` with the request's key. */
export interface ZonedConnectionLimit extends ZonedKey {
  readonly most: number;
}

/** The worker was the only one and kept the states itself; from now on it asks. */
export interface LimitHandover {
  readonly kind: 'limit-handover';
  readonly zones: readonly ZoneContent[];
}

/** What a zone holds, the least recently used first. */
export interface ZoneContent {
  readonly zone: string;
  readonly requests: readonly (readonly [key: string, excess: number, lastMs: number])[];
  readonly connections: readonly (readonly [key: string, count: number])[];
}

/** To the operations of one message, in their order. */
export interface LimitAnswers {
  readonly kind: 'limit-answers';
  readonly answers: readonly LimitAnswer[];
}

export type LimitAnswer =
  | {
      readonly what: 'request';
      readonly id: number;
      readonly verdict: RequestVerdict;
      /** Of the key that was rejected: until it has leaked away, the worker knows the verdict itself. */
      readonly state: { readonly excess: number; readonly lastMs: number } | null;
    }
  | { readonly what: 'connection'; readonly id: number; readonly verdict: ConnectionVerdict };
