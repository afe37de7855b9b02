import type { LimitAnswer, LimitPrimaryMessage, LimitWorkerMessage, ZonedKey } from './limit-message.ts';
import { LimitStore } from './limit-store.ts';
import type { LimitZone } from './limit-zone.ts';

export interface LimitArbiterInit {
  /** To the worker of this pid. */
  readonly send: (worker: number, message: LimitPrimaryMessage) => void;
  /** Whole ms on the `nowMs()` scale. */
  readonly now: () => number;
}

/**
 * The primary's half of the limits: one account for all workers. Each message of a worker (a turn of its event loop) is answered by one
 * message, at once. What a worker holds is given back when it ends, whyever.
 */
export class LimitArbiter {
  readonly #send: LimitArbiterInit['send'];
  readonly #now: LimitArbiterInit['now'];
  readonly #store = new LimitStore();
  /** Connections that each worker has counted: zone -> key -> count. */
  readonly #held = new Map<number, Map<string, Map<string, number>>>();

  constructor(init: LimitArbiterInit) {
    this.#send = init.send;
    this.#now = init.now;
  }

  /** The zones that there are from now on. */
  open(zones: readonly LimitZone[]): void {
    this.#store.open(zones);
  }

  receive(worker: number, message: LimitWorkerMessage): void {
    if (message.kind === 'limit-handover') {
      for (const zone of message.zones) {
        this.#store.take(zone, this.#now());
        for (const [key, count] of zone.connections) this.#hold(worker, { zone: zone.zone, key }, count);
      }
      return;
    }
    const answers: LimitAnswer[] = [];
    for (const operation of message.operations) {
      const { what, limits } = operation;
      if (what === 'release') {
        this.#store.release(limits.filter((limit) => this.#hold(worker, limit, -1)));
      } else if (what === 'connection') {
        const verdict = this.#store.admitConnection(operation.limits);
        if (verdict.kind === 'passed') for (const limit of limits) this.#hold(worker, limit, 1);
        answers.push({ what, id: operation.id, verdict });
      } else {
        const verdict = this.#store.admitRequest(operation.limits, operation.atMs);
        const limit = limits[verdict.by];
        const state = verdict.kind === 'rejected' && limit !== undefined ? this.#store.requestState(limit) : null;
        answers.push({
          what,
          id: operation.id,
          verdict,
          state: state === null ? null : { excess: state.excess, lastMs: state.lastMs },
        });
      }
    }
    if (answers.length > 0) this.#send(worker, { kind: 'limit-answers', answers });
  }

  workerGone(worker: number): void {
    const held = this.#held.get(worker);
    this.#held.delete(worker);
    for (const [zone, keys] of held ?? []) {
      for (const [key, count] of keys) for (let i = 0; i < count; i++) this.#store.release([{ zone, key }]);
    }
  }

  /** False: it holds none that could be given back. */
  #hold(worker: number, { zone, key }: ZonedKey, by: number): boolean {
    const zones = this.#held.get(worker) ?? new Map<string, Map<string, number>>();
    this.#held.set(worker, zones);
    const keys = zones.get(zone) ?? new Map<string, number>();
    zones.set(zone, keys);
    const count = (keys.get(key) ?? 0) + by;
    if (count < 0) return false;
    if (count === 0) keys.delete(key);
    else keys.set(key, count);
    return true;
  }
}
