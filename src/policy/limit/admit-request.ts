import { msSince, type RequestState, type RequestStates } from './request-states.ts';

/** One `limit_req` that holds for a request; numbers in milli-requests. */
export interface RequestLimit {
  readonly states: RequestStates;
  /** Not empty. */
  readonly key: string;
  /** Excess beyond it is refused. */
  readonly burst: number;
  /** Excess beyond it waits. */
  readonly delay: number;
}

/** passed: at once. delayed: after `delayMs`. rejected: too many. full: there is no room for another state in the zone. */
export const REQUEST_VERDICTS = ['passed', 'delayed', 'rejected', 'full'] as const;

export interface RequestVerdict {
  readonly kind: (typeof REQUEST_VERDICTS)[number];
  /** Which of the limits decided. */
  readonly by: number;
  /** Its excess, milli-requests. */
  readonly excess: number;
  readonly delayMs: number;
}

/**
 * nginx's decision about one request under all its limits: the first that is exceeded refuses, and then none of them counts the request;
 * otherwise all count it and the longest delay holds. `limits` has one at least.
 */
export function admitRequest(limits: readonly RequestLimit[], nowMs: number): RequestVerdict {
  // 1. Look: the states found stay in place until all is decided.
  const found: RequestState[] = [];
  for (const [by, { states, key, burst }] of limits.entries()) {
    const known = states.find(key);
    const excess = known === null ? 0 : states.excessAfter(known, nowMs);
    const state = excess > burst ? null : (known ?? states.add(key, nowMs));
    if (state === null) {
      for (const one of found) one.isBusy = false;
      return { kind: excess > burst ? 'rejected' : 'full', by, excess, delayMs: 0 };
    }
    state.isBusy = true;
    found.push(state);
  }
  // 2. Count, from the last to the first, as nginx does: of equal delays the later limit's is told.
  let verdict: RequestVerdict = { kind: 'passed', by: limits.length - 1, excess: 0, delayMs: 0 };
  for (let by = limits.length - 1; by >= 0; by--) {
    const { states, delay } = limits[by] as RequestLimit;
    const state = found[by] as RequestState;
    const excess = states.excessAfter(state, nowMs);
    if (msSince(state.lastMs, nowMs) > 0) state.lastMs = nowMs;
    state.excess = excess;
    state.isBusy = false;
    if (excess <= delay) continue;
    const delayMs = Math.floor(((excess - delay) * 1000) / states.rateMilliPerSec);
    if (delayMs > verdict.delayMs) verdict = { kind: 'delayed', by, excess, delayMs };
  }
  return verdict;
}
