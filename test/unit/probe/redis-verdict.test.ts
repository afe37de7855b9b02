import { describe, expect, test } from 'vitest';
import {
  type ConnectedReplica,
  judgeRedis,
  type RedisDemand,
  type RedisMasterState,
  type RedisReplicaState,
} from '../../../src/probe/redis-verdict.ts';

const DEMAND: RedisDemand = {
  role: 'any',
  maxLagBytes: 1000,
  maxLagMs: 5000,
  answersForReplicas: true,
  minReplicas: 1,
};
const ONLINE: ConnectedReplica = { address: 'r:1', isOnline: true, lagBytes: 0, silenceMs: 0 };
const MASTER: RedisMasterState = { role: 'master', writeRefusal: '', replicas: [ONLINE] };
const REPLICA: RedisReplicaState = {
  role: 'replica',
  follows: 'm:1',
  isLinkUp: true,
  isSyncing: false,
  downMs: null,
  silenceMs: 0,
};

describe('a master', () => {
  test.each<[string, Partial<RedisMasterState>, Partial<RedisDemand>]>([
    ['', {}, {}],
    ['', { replicas: [] }, { minReplicas: 0 }],
    ['role is master, replica expected', {}, { role: 'replica' }],
    ['it takes no writes: NOREPLICAS x', { writeRefusal: 'NOREPLICAS x' }, {}],
    ['0 of 1 replicas are online', { replicas: [{ ...ONLINE, isOnline: false }] }, {}],
    ['replica r:1 lags 2 kB, at most 1000 B allowed', { replicas: [{ ...ONLINE, lagBytes: 2048 }] }, {}],
    [
      'nothing heard from replica r:1 for 6.0 s, at most 5.0 s allowed',
      { replicas: [{ ...ONLINE, silenceMs: 6000 }] },
      {},
    ],
    ['', { replicas: [{ ...ONLINE, silenceMs: 6000, lagBytes: 9e9 }] }, { maxLagBytes: null, maxLagMs: null }],
    ['', { replicas: [{ ...ONLINE, lagBytes: 9e9 }] }, { answersForReplicas: false }],
  ])('%s', (reason, state, demand) => {
    expect(judgeRedis({ ...MASTER, ...state }, { ...DEMAND, ...demand }).reason).toBe(reason);
  });
});

describe('a replica', () => {
  test.each<[string, Partial<RedisReplicaState>, Partial<RedisDemand>]>([
    ['', {}, {}],
    ['role is replica, master expected', {}, { role: 'master' }],
    ['the first copy from its master m:1 is not complete', { isSyncing: true, isLinkUp: false }, {}],
    ['the link to its master m:1 is down for 3.0 s', { isLinkUp: false, downMs: 3000 }, {}],
    ['the link to its master m:1 is down', { isLinkUp: false }, {}],
    ['nothing heard from its master m:1 for 9.0 s, at most 5.0 s allowed', { silenceMs: 9000 }, {}],
    ['lag is unknown', { silenceMs: null }, {}],
    ['', { silenceMs: null }, { maxLagMs: null }],
  ])('%s', (reason, state, demand) => {
    expect(judgeRedis({ ...REPLICA, ...state }, { ...DEMAND, ...demand }).reason).toBe(reason);
  });
});
