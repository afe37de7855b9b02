import { describe, expect, test } from 'vitest';
import {
  judgePostgres,
  type PostgresDemand,
  type PrimaryState,
  type ReplicaState,
  type ReplicationSlot,
  type StreamingReplica,
} from '../../../src/probe/postgres-verdict.ts';

const DEMAND: PostgresDemand = {
  role: 'any',
  maxLagBytes: 1000,
  maxLagMs: 5000,
  answersForReplicas: true,
  maxSlotWalBytes: 2048,
  minReplicas: 1,
};
const STREAM: StreamingReplica = { name: 'r1', state: 'streaming', lagBytes: 0, lagMs: 0 };
const SLOT: ReplicationSlot = { name: 's1', isActive: true, isTemporary: false, walStatus: 'reserved', walBytes: 0 };
const PRIMARY: PrimaryState = {
  role: 'primary',
  isReadOnly: false,
  replicas: [STREAM],
  slots: [SLOT],
  archiving: { isOn: true, isFailing: false, lastFailedWal: null, failedCount: 0 },
};
const REPLICA: ReplicaState = { role: 'replica', receiver: 'streaming', lagBytes: 0, lagMs: 0, isReplayPaused: false };

describe('a primary', () => {
  test.each<[string, Partial<PrimaryState>, Partial<PostgresDemand>]>([
    ['', {}, {}],
    ['', { replicas: [] }, { minReplicas: 0 }],
    ['role is primary, replica expected', {}, { role: 'replica' }],
    ['it takes no writes: transactions are read-only', { isReadOnly: true }, {}],
    ['0 of 1 replicas are streaming', { replicas: [] }, {}],
    ['0 of 1 replicas are streaming', { replicas: [{ ...STREAM, state: 'catchup' }] }, {}],
    [
      'the user may not read pg_stat_replication: GRANT pg_monitor to it',
      { replicas: [{ ...STREAM, state: null }] },
      {},
    ],
    ['replica r1 lags 2 kB, at most 1000 B allowed', { replicas: [{ ...STREAM, lagBytes: 2048 }] }, {}],
    ['replica r1 lags 6.0 s, at most 5.0 s allowed', { replicas: [{ ...STREAM, lagMs: 6000 }] }, {}],
    ['replica r1 lag is unknown', { replicas: [{ ...STREAM, lagBytes: null }] }, {}],
    ['', { replicas: [{ ...STREAM, lagBytes: 9e9, lagMs: 9e9 }] }, { maxLagBytes: null, maxLagMs: null }],
    ['', { replicas: [{ ...STREAM, lagBytes: 9e9 }] }, { answersForReplicas: false }],
    ['slot s1 is inactive and keeps 512 B of WAL', { slots: [{ ...SLOT, isActive: false, walBytes: 512 }] }, {}],
    ['', { slots: [{ ...SLOT, isActive: false, isTemporary: true }] }, {}],
    ['slot s1 keeps 3 kB of WAL, at most 2 kB allowed', { slots: [{ ...SLOT, walBytes: 3072 }] }, {}],
    ['', { slots: [{ ...SLOT, walBytes: 3072 }] }, { maxSlotWalBytes: null }],
    [
      'slot s1 has lost WAL that it needs: its replica must be made anew',
      { slots: [SLOT, { ...SLOT, walStatus: 'lost' }] },
      {},
    ],
    [
      'slot s1 is about to lose WAL that it needs (it keeps 0 B)',
      { slots: [{ ...SLOT, walStatus: 'unreserved' }] },
      {},
    ],
    [
      'WAL archiving fails: last 00A, 3 failed attempts',
      { archiving: { isOn: true, isFailing: true, lastFailedWal: '00A', failedCount: 3 } },
      {},
    ],
    ['', { archiving: { isOn: false, isFailing: true, lastFailedWal: '00A', failedCount: 3 } }, {}],
  ])('%s', (reason, state, demand) => {
    expect(judgePostgres({ ...PRIMARY, ...state }, { ...DEMAND, ...demand }).reason).toBe(reason);
  });
});

describe('a replica', () => {
  test.each<[string, Partial<ReplicaState>, Partial<PostgresDemand>]>([
    ['', {}, {}],
    ['role is replica, primary expected', {}, { role: 'primary' }],
    ['not streaming: it has no connection to a primary', { receiver: 'none' }, {}],
    ['not streaming: its receiver is waiting', { receiver: 'waiting' }, {}],
    ['the user may not read pg_stat_wal_receiver: GRANT pg_monitor to it', { receiver: null }, {}],
    ['lags 4.9 kB, at most 1000 B allowed', { lagBytes: 5000 }, {}],
    ['lags 4.9 kB, at most 1000 B allowed, replay is paused', { lagBytes: 5000, isReplayPaused: true }, {}],
    ['lags 10 s, at most 5.0 s allowed', { lagBytes: 1, lagMs: 10_000 }, {}],
    ['lag is unknown', { lagBytes: null, lagMs: null }, {}],
    ['lags, for how long is unknown', { lagBytes: 10, lagMs: null }, {}],
    ['lags 4.9 kB, at most 1000 B allowed', { lagBytes: 5000, lagMs: null }, {}],
    ['', { lagBytes: 0, lagMs: null }, {}],
    ['', { isReplayPaused: true }, {}],
  ])('%s', (reason, state, demand) => {
    expect(judgePostgres({ ...REPLICA, ...state }, { ...DEMAND, ...demand }).reason).toBe(reason);
  });
});
