import type { ConnectionStates } from './connection-states.ts';

/** One `limit_conn` that holds for a request. */
export interface ConnectionLimit {
  readonly states: ConnectionStates;
  /** Not empty. */
  readonly key: string;
  readonly most: number;
}

export const CONNECTION_VERDICTS = ['passed', 'rejected', 'full'] as const;

export interface ConnectionVerdict {
  readonly kind: (typeof CONNECTION_VERDICTS)[number];
  /** Which of the limits decided. */
  readonly by: number;
}

/** Counts the request under all its limits, or under none: the first that is reached refuses. What passed is given back by `releaseConnection`, once. */
export function admitConnection(limits: readonly ConnectionLimit[]): ConnectionVerdict {
  for (const [by, { states, key, most }] of limits.entries()) {
    const result = states.take(key, most);
    if (result === 'taken') continue;
    releaseConnection(limits.slice(0, by));
    return { kind: result, by };
  }
  return { kind: 'passed', by: limits.length - 1 };
}

export function releaseConnection(limits: readonly Pick<ConnectionLimit, 'states' | 'key'>[]): void {
  for (const { states, key } of limits) states.release(key);
}
