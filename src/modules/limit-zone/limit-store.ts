import { admitConnection, type ConnectionVerdict, releaseConnection } from '../../policy/limit/admit-connection.ts';
import { admitRequest, type RequestVerdict } from '../../policy/limit/admit-request.ts';
import { ConnectionStates } from '../../policy/limit/connection-states.ts';
import { type RequestState, RequestStates } from '../../policy/limit/request-states.ts';
import type { ZoneContent, ZonedConnectionLimit, ZonedKey, ZonedRequestLimit } from './limit-message.ts';
import type { LimitZone } from './limit-zone.ts';

/**
 * The zones and their states: in the primary for all workers, or in the only worker. A zone that is not there (a request of an old
 * configuration asks for one that a reload took away) limits nothing.
 */
export class LimitStore {
  readonly #requests = new Map<string, RequestStates>();
  readonly #connections = new Map<string, ConnectionStates>();

  /** The zones that there are from now on; those of the same name, kind and size keep their states. */
  open(zones: readonly LimitZone[]): void {
    const ids = new Set(zones.map((zone) => zone.id));
    for (const map of [this.#requests, this.#connections])
      for (const id of map.keys()) if (!ids.has(id)) map.delete(id);
    for (const zone of zones) {
      if (zone.kind === 'limit_conn') {
        if (!this.#connections.has(zone.id)) this.#connections.set(zone.id, new ConnectionStates(zone));
        continue;
      }
      const known = this.#requests.get(zone.id);
      if (known === undefined) this.#requests.set(zone.id, new RequestStates(zone));
      else known.rateMilliPerSec = zone.rateMilliPerSec;
    }
  }

  /** `by` of the verdict counts in `asked`. */
  admitRequest(asked: readonly ZonedRequestLimit[], nowMs: number): RequestVerdict {
    const places: number[] = [];
    const limits = asked.flatMap((one, i) => {
      const states = this.#requests.get(one.zone);
      if (states === undefined) return [];
      places.push(i);
      return { states, key: one.key, burst: one.burst, delay: one.delay };
    });
    if (limits.length === 0) return { kind: 'passed', by: 0, excess: 0, delayMs: 0 };
    const verdict = admitRequest(limits, nowMs);
    return limits.length === asked.length ? verdict : { ...verdict, by: places[verdict.by] ?? 0 };
  }

  /** The state of a key, for the worker that was just refused because of it. */
  requestState({ zone, key }: ZonedKey): RequestState | null {
    return this.#requests.get(zone)?.find(key) ?? null;
  }

  admitConnection(asked: readonly ZonedConnectionLimit[]): ConnectionVerdict {
    const places: number[] = [];
    const limits = asked.flatMap((one, i) => {
      const states = this.#connections.get(one.zone);
      if (states === undefined) return [];
      places.push(i);
      return { states, key: one.key, most: one.most };
    });
    if (limits.length === 0) return { kind: 'passed', by: 0 };
    const verdict = admitConnection(limits);
    return limits.length === asked.length ? verdict : { ...verdict, by: places[verdict.by] ?? 0 };
  }

  release(keys: readonly ZonedKey[]): void {
    const known = keys.flatMap(({ zone, key }) => {
      const states = this.#connections.get(zone);
      return states === undefined ? [] : { states, key };
    });
    releaseConnection(known);
  }

  contents(): ZoneContent[] {
    const requests = [...this.#requests].map(([zone, states]) => ({
      zone,
      requests: [...states].map(({ key, excess, lastMs }) => [key, excess, Math.max(0, lastMs)] as const),
      connections: [],
    }));
    const connections = [...this.#connections].map(([zone, states]) => ({
      zone,
      requests: [],
      connections: [...states],
    }));
    return [...requests, ...connections];
  }

  /** Takes in what a worker had by itself. A key that is known already keeps the larger excess; connections add up. */
  take({ zone, requests, connections }: ZoneContent, nowMs: number): void {
    const states = this.#requests.get(zone);
    for (const [key, excess, lastMs] of states === undefined ? [] : requests) {
      const known = states?.find(key) ?? null;
      const state = known ?? states?.add(key, nowMs) ?? null;
      if (state === null || (known !== null && known.excess >= excess)) continue;
      state.excess = excess;
      state.lastMs = lastMs;
    }
    const counts = this.#connections.get(zone);
    for (const [key, count] of connections) {
      for (let i = 0; i < count; i++) counts?.take(key, Number.POSITIVE_INFINITY);
    }
  }
}
