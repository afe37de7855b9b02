import type { ConnectionVerdict } from '../../policy/limit/admit-connection.ts';
import type { RequestVerdict } from '../../policy/limit/admit-request.ts';
import { excessAfter } from '../../policy/limit/request-states.ts';
import type {
  LimitOperation,
  LimitPrimaryMessage,
  LimitWorkerMessage,
  ZonedConnectionLimit,
  ZonedKey,
  ZonedRequestLimit,
} from './limit-message.ts';
import { LimitStore } from './limit-store.ts';
import type { LimitZone } from './limit-zone.ts';

export interface LimitPortInit {
  readonly send: (message: LimitWorkerMessage) => void;
  /** Runs `flush` soon, once: all that happens in a turn of the event loop goes out as one message. */
  readonly schedule: (flush: () => void) => void;
  /** Runs `check` after that time. */
  readonly later: (check: () => void, ms: number) => void;
}

/** Without an answer for so long the request passes: the primary has gone, and a worker without one only ends what it has. */
const PATIENCE_MS = 5000;
/** A known rejection is asked for again after this time, so that the primary sees the key in use and does not drop its state. */
const KNOWN_FOR_MS = 1000;
/** Keys whose rejection is known. */
const MOST_KNOWN = 10_000;

const NOTHING_ASKED: RequestVerdict = { kind: 'passed', by: 0, excess: 0, delayMs: 0 };

type Pending =
  | {
      readonly what: 'request';
      readonly atMs: number;
      readonly limits: readonly ZonedRequestLimit[];
      readonly done: (verdict: RequestVerdict) => void;
    }
  | { readonly what: 'connection'; readonly atMs: number; readonly done: (verdict: ConnectionVerdict) => void };

interface KnownRejection {
  readonly excess: number;
  readonly lastMs: number;
  readonly untilMs: number;
}

/**
 * A worker's half of the limits. The only worker decides by itself. One of several asks the primary, so that limits are exact over all of
 * them; but a key whose excess is known to be over the burst until some instant is refused until then without asking.
 */
export class LimitPort {
  readonly #init: LimitPortInit;
  readonly #rates = new Map<string, number>();
  readonly #pending = new Map<number, Pending>();
  readonly #known = new Map<string, KnownRejection>();
  /** The states, while this worker is the only one. */
  #store: LimitStore | null = null;
  #operations: LimitOperation[] = [];
  #nextId = 1;
  #isFirst = true;
  /** Questions before this one are given up at the next look; 0: nobody looks. */
  #watchedTo = 0;

  constructor(init: LimitPortInit) {
    this.#init = init;
  }

  /** A configuration's zones are in force. Once there was another worker the primary keeps the states for good. */
  open(zones: readonly LimitZone[], isAlone: boolean): void {
    this.#rates.clear();
    for (const zone of zones) this.#rates.set(zone.id, zone.rateMilliPerSec);
    this.#known.clear();
    if (this.#isFirst && isAlone) this.#store = new LimitStore();
    this.#isFirst = false;
    this.#store?.open(zones);
    if (this.#store !== null && !isAlone) {
      this.#init.send({ kind: 'limit-handover', zones: this.#store.contents() });
      this.#store = null;
    }
  }

  /** `limits` has one at least. The verdict, or null: `done` will get it, later. `by` counts in `limits`. */
  admitRequest(
    limits: readonly ZonedRequestLimit[],
    nowMs: number,
    done: (verdict: RequestVerdict) => void,
  ): RequestVerdict | null {
    const atMs = Math.floor(nowMs);
    if (this.#store !== null) return this.#store.admitRequest(limits, atMs);
    const known = this.#knownRejection(limits[0] as ZonedRequestLimit, atMs);
    if (known !== null) return known;
    const id = this.#await({ what: 'request', atMs, limits, done });
    this.#plan({ what: 'request', id, atMs, limits });
    return null;
  }

  /** As `admitRequest`. What passed is given back by `release`, once. */
  admitConnection(
    limits: readonly ZonedConnectionLimit[],
    nowMs: number,
    done: (verdict: ConnectionVerdict) => void,
  ): ConnectionVerdict | null {
    if (this.#store !== null) return this.#store.admitConnection(limits);
    const id = this.#await({ what: 'connection', atMs: nowMs, done });
    this.#plan({ what: 'connection', id, limits });
    return null;
  }

  release(limits: readonly ZonedKey[]): void {
    if (this.#store !== null) this.#store.release(limits);
    else this.#plan({ what: 'release', limits: limits.map(({ zone, key }) => ({ zone, key })) });
  }

  receive({ answers }: LimitPrimaryMessage): void {
    for (const answer of answers) {
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if (pending === undefined) continue;
      if (pending.what === 'connection') {
        if (answer.what === 'connection') pending.done(answer.verdict);
      } else if (answer.what === 'request') {
        this.#learn(pending.limits, answer.verdict, answer.state, pending.atMs);
        pending.done(answer.verdict);
      }
    }
  }

  /** Only of the first limit: that of another one would hide that this one may be exceeded as well, which the log tells. */
  #knownRejection({ zone, key, burst }: ZonedRequestLimit, nowMs: number): RequestVerdict | null {
    const id = knownId(zone, key);
    const known = this.#known.get(id);
    if (known === undefined) return null;
    const excess = excessAfter(known.excess, known.lastMs, this.#rates.get(zone) ?? 0, nowMs);
    if (nowMs < known.untilMs) return excess > burst ? { kind: 'rejected', by: 0, excess, delayMs: 0 } : null;
    this.#known.delete(id);
    return null;
  }

  #learn(
    limits: readonly ZonedRequestLimit[],
    verdict: RequestVerdict,
    state: { readonly excess: number; readonly lastMs: number } | null,
    atMs: number,
  ): void {
    const rejecting = verdict.kind === 'rejected' ? limits[verdict.by] : undefined;
    if (rejecting !== undefined && state !== null) {
      if (this.#known.size >= MOST_KNOWN) this.#known.clear();
      this.#known.set(knownId(rejecting.zone, rejecting.key), { ...state, untilMs: atMs + KNOWN_FOR_MS });
    } else if (this.#known.size > 0) {
      // Counted under all of them: what was known is no longer so.
      for (const { zone, key } of limits) this.#known.delete(knownId(zone, key));
    }
  }

  #await(pending: Pending): number {
    const id = this.#nextId++;
    this.#pending.set(id, pending);
    if (this.#watchedTo === 0) this.#watch();
    return id;
  }

  #watch(): void {
    this.#watchedTo = this.#nextId;
    this.#init.later(() => this.#giveUpWaiting(), PATIENCE_MS);
  }

  #giveUpWaiting(): void {
    const late = [...this.#pending].filter(([id]) => id < this.#watchedTo);
    this.#watchedTo = 0;
    for (const [id, pending] of late) {
      this.#pending.delete(id);
      if (pending.what === 'request') pending.done(NOTHING_ASKED);
      else pending.done({ kind: 'passed', by: 0 });
    }
    if (this.#pending.size > 0 && this.#watchedTo === 0) this.#watch();
  }

  #plan(operation: LimitOperation): void {
    this.#operations.push(operation);
    if (this.#operations.length === 1) this.#init.schedule(() => this.#flush());
  }

  #flush(): void {
    const operations = this.#operations;
    this.#operations = [];
    this.#init.send({ kind: 'limit-operations', operations });
  }
}

function knownId(zone: string, key: string): string {
  return `${zone}\0${key}`;
}
