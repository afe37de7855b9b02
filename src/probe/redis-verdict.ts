import { sizeText, spanText } from './size-text.ts';

export const REDIS_ROLES = ['master', 'replica'] as const;
export type RedisRole = (typeof REDIS_ROLES)[number];

/** What is asked of a server. A limit that is null does not judge. */
export interface RedisDemand {
  /** `any`: whatever it is, it must be well as that. */
  readonly role: RedisRole | 'any';
  /** Longest lag of a replica, as its master sees it: a replica itself does not know. */
  readonly maxLagBytes: number | null;
  /** Longest silence between a master and a replica. */
  readonly maxLagMs: number | null;
  /** A master answers for the lag of its replicas. False: they are looked at themselves. Default: true. */
  readonly answersForReplicas?: boolean;
  /** Replicas that a master must have online. */
  readonly minReplicas: number;
}

/** A replica as its master sees it. */
export interface ConnectedReplica {
  readonly address: string;
  readonly isOnline: boolean;
  readonly lagBytes: number;
  /** Since it was last heard of. */
  readonly silenceMs: number;
}

export interface RedisMasterState {
  readonly role: 'master';
  /** Why it refuses writes; '' when it takes them. */
  readonly writeRefusal: string;
  readonly replicas: readonly ConnectedReplica[];
}

export interface RedisReplicaState {
  readonly role: 'replica';
  readonly follows: string;
  readonly isLinkUp: boolean;
  /** Its first copy of the data is under way. */
  readonly isSyncing: boolean;
  /** How long the link has been down; null: never up, or it is up. */
  readonly downMs: number | null;
  /** Since the master was last heard of; null: never. */
  readonly silenceMs: number | null;
}

export type RedisState = RedisMasterState | RedisReplicaState;

/** What was looked at last, and what is wrong with it; '' when nothing is. */
export interface RedisVerdict {
  readonly doing: string;
  readonly reason: string;
}

/** Is a server as it was asked for? Pure. The first thing that is wrong decides. */
export function judgeRedis(state: RedisState, demand: RedisDemand): RedisVerdict {
  if (demand.role !== 'any' && demand.role !== state.role) {
    return { doing: 'checking role', reason: `role is ${state.role}, ${demand.role} expected` };
  }
  return state.role === 'master' ? judgeMaster(state, demand) : judgeReplica(state, demand);
}

function judgeMaster({ writeRefusal, replicas }: RedisMasterState, demand: RedisDemand): RedisVerdict {
  if (writeRefusal !== '') return { doing: 'checking writes', reason: `it takes no writes: ${writeRefusal}` };
  const doing = 'checking replicas';
  const online = replicas.filter((replica) => replica.isOnline);
  if (online.length < demand.minReplicas) {
    return { doing, reason: `${online.length} of ${demand.minReplicas} replicas are online` };
  }
  const { maxLagBytes, maxLagMs, answersForReplicas = true } = demand;
  if (!answersForReplicas) return { doing, reason: '' };
  for (const { address, lagBytes, silenceMs } of online) {
    if (maxLagBytes !== null && lagBytes > maxLagBytes) {
      return {
        doing,
        reason: `replica ${address} lags ${sizeText(lagBytes)}, at most ${sizeText(maxLagBytes)} allowed`,
      };
    }
    if (maxLagMs !== null && silenceMs > maxLagMs)
      return { doing, reason: silence(`replica ${address}`, silenceMs, maxLagMs) };
  }
  return { doing, reason: '' };
}

function judgeReplica(state: RedisReplicaState, { maxLagMs }: RedisDemand): RedisVerdict {
  const doing = 'checking link to the master';
  if (state.isSyncing) return { doing, reason: `the first copy from its master ${state.follows} is not complete` };
  if (!state.isLinkUp) {
    const since = state.downMs === null ? '' : ` for ${spanText(state.downMs)}`;
    return { doing, reason: `the link to its master ${state.follows} is down${since}` };
  }
  if (maxLagMs !== null && state.silenceMs === null) return { doing, reason: 'lag is unknown' };
  if (maxLagMs !== null && state.silenceMs !== null && state.silenceMs > maxLagMs) {
    return { doing, reason: silence(`its master ${state.follows}`, state.silenceMs, maxLagMs) };
  }
  return { doing, reason: '' };
}

function silence(who: string, silenceMs: number, maxLagMs: number): string {
  return `nothing heard from ${who} for ${spanText(silenceMs)}, at most ${spanText(maxLagMs)} allowed`;
}
