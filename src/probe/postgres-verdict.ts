import { sizeText, spanText } from './size-text.ts';

export const POSTGRES_ROLES = ['primary', 'replica'] as const;
export type PostgresRole = (typeof POSTGRES_ROLES)[number];

/** What is asked of a server. A limit that is null does not judge. */
export interface PostgresDemand {
  /** `any`: whatever it is, it must be well as that. */
  readonly role: PostgresRole | 'any';
  /** Longest lag of a replica. */
  readonly maxLagBytes: number | null;
  readonly maxLagMs: number | null;
  /** A primary answers for the lag of the replicas that it streams to. False: they are looked at themselves. Default: true. */
  readonly answersForReplicas?: boolean;
  /** Most WAL that one replication slot may keep. */
  readonly maxSlotWalBytes: number | null;
  /** Replicas that a primary must be streaming to. */
  readonly minReplicas: number;
}

/** A connection in pg_stat_replication. */
export interface StreamingReplica {
  readonly name: string;
  /** Null: the user may not see it. */
  readonly state: string | null;
  /** Null: unknown. */
  readonly lagBytes: number | null;
  readonly lagMs: number | null;
}

/** A row of pg_replication_slots. */
export interface ReplicationSlot {
  readonly name: string;
  readonly isActive: boolean;
  /** Made by a backup under way; it goes with its connection. */
  readonly isTemporary: boolean;
  /** `reserved`, `extended`, `unreserved`, `lost`; null: it keeps none. */
  readonly walStatus: string | null;
  readonly walBytes: number;
}

/** pg_stat_archiver. */
export interface WalArchiving {
  readonly isOn: boolean;
  /** The last attempt failed. */
  readonly isFailing: boolean;
  readonly lastFailedWal: string | null;
  readonly failedCount: number;
}

export interface PrimaryState {
  readonly role: 'primary';
  readonly isReadOnly: boolean;
  readonly replicas: readonly StreamingReplica[];
  readonly slots: readonly ReplicationSlot[];
  readonly archiving: WalArchiving;
}

export interface ReplicaState {
  readonly role: 'replica';
  /** pg_stat_wal_receiver's `status`; null: the user may not see it; `none`: there is no receiver. */
  readonly receiver: string | null;
  readonly lagBytes: number | null;
  /** 0 when all that was received is applied. Null: unknown. */
  readonly lagMs: number | null;
  readonly isReplayPaused: boolean;
}

export type PostgresState = PrimaryState | ReplicaState;

/** What was looked at last, and what is wrong with it; '' when nothing is. */
export interface PostgresVerdict {
  readonly doing: string;
  readonly reason: string;
}

/** Is a server as it was asked for? Pure. The first thing that is wrong decides. */
export function judgePostgres(state: PostgresState, demand: PostgresDemand): PostgresVerdict {
  if (demand.role !== 'any' && demand.role !== state.role) {
    return { doing: 'checking role', reason: `role is ${state.role}, ${demand.role} expected` };
  }
  return state.role === 'primary' ? judgePrimary(state, demand) : judgeReplica(state, demand);
}

function judgePrimary(state: PrimaryState, demand: PostgresDemand): PostgresVerdict {
  if (state.isReadOnly) return { doing: 'checking role', reason: 'it takes no writes: transactions are read-only' };
  const steps: readonly [string, () => string][] = [
    ['checking replicas', () => replicaTrouble(state.replicas, demand)],
    ['checking replication slots', () => firstTrouble(state.slots, (slot) => slotTrouble(slot, demand))],
    ['checking WAL archiving', () => archivingTrouble(state.archiving)],
  ];
  for (const [doing, trouble] of steps) {
    const reason = trouble();
    if (reason !== '') return { doing, reason };
  }
  return { doing: 'checking WAL archiving', reason: '' };
}

function judgeReplica(state: ReplicaState, demand: PostgresDemand): PostgresVerdict {
  const streaming = { doing: 'checking streaming' };
  if (state.receiver === null) return { ...streaming, reason: mayNotSee('pg_stat_wal_receiver') };
  if (state.receiver === 'none') return { ...streaming, reason: 'not streaming: it has no connection to a primary' };
  if (state.receiver !== 'streaming')
    return { ...streaming, reason: `not streaming: its receiver is ${state.receiver}` };
  const pause = state.isReplayPaused ? ', replay is paused' : '';
  const lag = lagTrouble('', state, demand);
  return { doing: 'checking lag', reason: lag === '' ? '' : lag + pause };
}

function replicaTrouble(replicas: readonly StreamingReplica[], demand: PostgresDemand): string {
  if (replicas.some((replica) => replica.state === null)) return mayNotSee('pg_stat_replication');
  const streaming = replicas.filter((replica) => replica.state === 'streaming');
  if (streaming.length < demand.minReplicas) {
    return `${streaming.length} of ${demand.minReplicas} replicas are streaming`;
  }
  if (demand.answersForReplicas === false) return '';
  return firstTrouble(streaming, (replica) => lagTrouble(`replica ${replica.name} `, replica, demand));
}

interface Lag {
  readonly lagBytes: number | null;
  readonly lagMs: number | null;
}

function lagTrouble(who: string, { lagBytes, lagMs }: Lag, { maxLagBytes, maxLagMs }: PostgresDemand): string {
  // What can't be seen is not within its limit.
  if (maxLagBytes !== null && lagBytes === null) return `${who}lag is unknown`;
  if (maxLagBytes !== null && lagBytes !== null && lagBytes > maxLagBytes) {
    return `${who}lags ${sizeText(lagBytes)}, at most ${sizeText(maxLagBytes)} allowed`;
  }
  if (maxLagMs !== null && lagMs !== null && lagMs > maxLagMs) {
    return `${who}lags ${spanText(lagMs)}, at most ${spanText(maxLagMs)} allowed`;
  }
  // One that has applied no transaction yet can't tell.
  if (maxLagMs !== null && lagMs === null && lagBytes !== 0) return `${who}lags, for how long is unknown`;
  return '';
}

function slotTrouble(slot: ReplicationSlot, { maxSlotWalBytes }: PostgresDemand): string {
  const kept = sizeText(slot.walBytes);
  if (slot.walStatus === 'lost') return `slot ${slot.name} has lost WAL that it needs: its replica must be made anew`;
  if (slot.walStatus === 'unreserved') return `slot ${slot.name} is about to lose WAL that it needs (it keeps ${kept})`;
  if (!slot.isActive && !slot.isTemporary) return `slot ${slot.name} is inactive and keeps ${kept} of WAL`;
  if (maxSlotWalBytes !== null && slot.walBytes > maxSlotWalBytes) {
    return `slot ${slot.name} keeps ${kept} of WAL, at most ${sizeText(maxSlotWalBytes)} allowed`;
  }
  return '';
}

function archivingTrouble({ isOn, isFailing, lastFailedWal, failedCount }: WalArchiving): string {
  if (!isOn || !isFailing) return '';
  return `WAL archiving fails: last ${lastFailedWal ?? 'unknown'}, ${failedCount} failed attempts`;
}

function mayNotSee(view: string): string {
  return `the user may not read ${view}: GRANT pg_monitor to it`;
}

function firstTrouble<Item>(items: readonly Item[], trouble: (item: Item) => string): string {
  for (const item of items) {
    const reason = trouble(item);
    if (reason !== '') return reason;
  }
  return '';
}
