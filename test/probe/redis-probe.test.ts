import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProbeResult } from '../../src/probe/probe.ts';
import { redisProbe } from '../../src/probe/redis-probe.ts';
import type { RedisDemand } from '../../src/probe/redis-verdict.ts';
import { until } from '../process/ask.ts';
import { freePort } from '../support/free-port.ts';
import { describeWith } from '../support/needs-service.ts';
import { REDIS_PASSWORD, RedisServer } from '../support/redis.ts';
import { reply, ScriptedBackend } from '../support/scripted-backend.ts';
import { unacceptingPort } from '../support/unaccepting-port.ts';

const DEMAND: RedisDemand = {
  role: 'any',
  maxLagBytes: null,
  maxLagMs: null,
  answersForReplicas: true,
  minReplicas: 0,
};

interface Change extends Partial<RedisDemand> {
  readonly username?: string;
  readonly password?: string;
}

function look(port: number, change: Change = {}, signal = AbortSignal.timeout(10_000)): Promise<ProbeResult> {
  const probe = redisProbe({ ...DEMAND, password: REDIS_PASSWORD, ...change });
  return probe.run({ kind: 'tcp', host: '127.0.0.1', port }, signal);
}

function lookUntil(port: number, isSo: (result: ProbeResult) => boolean, change: Change = {}): Promise<ProbeResult> {
  return until(async () => {
    const result = await look(port, change);
    return isSo(result) ? result : undefined;
  }, 20_000);
}

describeWith(['Redis'], 'the Redis probe, a master and its replica', () => {
  let master: RedisServer;
  let replica: RedisServer;

  beforeAll(async () => {
    master = await RedisServer.master();
    replica = await master.replica();
    await lookUntil(master.port, ({ isPassed }) => isPassed, { minReplicas: 1 });
    await lookUntil(replica.port, ({ isPassed }) => isPassed);
  });

  afterAll(async () => {
    await replica?.remove();
    await master?.remove();
  });

  test('both are well, each in its role', async () => {
    const [first, second] = [
      await look(master.port, { role: 'master' }),
      await look(replica.port, { role: 'replica' }),
    ];
    expect(first).toMatchObject({ isPassed: true, facts: { role: 'master', replicas: 1, is_read_only: false } });
    expect(second).toMatchObject({
      isPassed: true,
      facts: { role: 'replica', is_link_up: true, follows: `127.0.0.1:${master.port}` },
    });
    expect(first.facts['replication_id']).toBe(second.facts['replication_id']);
  });

  test('the question whether it takes writes writes nothing', async () => {
    const before = master.command('INFO', 'stats');
    await look(master.port);
    expect(master.command('DBSIZE')).toBe('0');
    expect(before).toContain('total_commands_processed');
    expect(master.command('EXISTS', 'evenkeel:probe')).toBe('0');
  });

  test('the wrong role', async () => {
    expect(await look(master.port, { role: 'replica' })).toMatchObject({
      isPassed: false,
      doing: 'checking role',
      reason: 'role is master, replica expected',
    });
    expect(await look(replica.port, { role: 'master' })).toMatchObject({
      isPassed: false,
      reason: 'role is replica, master expected',
    });
  });

  test('a wrong password, none, and a user that is not there', async () => {
    const results = [
      await look(master.port, { password: 'wr0ng secret' }),
      await look(master.port, { password: '' }),
      await look(master.port, { username: 'nobody' }),
    ];
    expect(results.map(({ isPassed, doing, reason }) => [isPassed, doing, reason])).toEqual([
      [false, 'logging in', 'WRONGPASS invalid username-password pair or user is disabled.'],
      [false, 'waiting for PONG', 'NOAUTH Authentication required.'],
      [false, 'logging in', 'WRONGPASS invalid username-password pair or user is disabled.'],
    ]);
    expect(JSON.stringify(results)).not.toMatch(/wr0ng|s3cret/);
  });

  test('a server that asks for no password though one was given', async () => {
    master.command('CONFIG', 'SET', 'requirepass', '');
    try {
      expect(await look(master.port)).toMatchObject({
        isPassed: false,
        reason: 'it asks nobody for a password, though one was given: requirepass is not set',
      });
      expect(await look(master.port, { password: '' })).toMatchObject({ isPassed: true });
    } finally {
      master.command('CONFIG', 'SET', 'requirepass', REDIS_PASSWORD);
    }
  });

  test.each([
    ['too few replicas', 'min-replicas-to-write', '5', '0', /^it takes no writes: NOREPLICAS /],
    ['no memory left', 'maxmemory', '1', '0', /^it takes no writes: OOM /],
  ])('a master that takes no writes: %s', async (_, setting, bad, good, reason) => {
    master.command('CONFIG', 'SET', setting, bad);
    try {
      const result = await look(master.port);
      expect(result).toMatchObject({ isPassed: false, doing: 'checking writes', facts: { is_read_only: true } });
      expect(result.reason).toMatch(reason);
    } finally {
      master.command('CONFIG', 'SET', setting, good);
    }
    expect(await look(master.port)).toMatchObject({ isPassed: true });
  });

  test('a user that may not write: what can not be tried is not well', async () => {
    master.command('ACL', 'SETUSER', 'reader', 'on', '>reader', '~*', '+@all', '-@write');
    const result = await look(master.port, { username: 'reader', password: 'reader' });
    expect(result).toMatchObject({ isPassed: false });
    expect(result.reason).toMatch(/^it takes no writes: NOPERM /);
  });

  test('a replica that is stopped: the master sees it lag, in bytes and time, and the probe gives up in time', async () => {
    replica.pause();
    try {
      const gone = await look(replica.port, {}, AbortSignal.timeout(200));
      expect(gone).toMatchObject({ isPassed: false, reason: 'timed out' });
      master.command('SET', 'big', 'x'.repeat(100_000));
      const bytes = await look(master.port, { maxLagBytes: 50_000 });
      expect(bytes.reason).toMatch(/^replica 127\.0\.0\.1:\d+ lags \d+(\.\d)? kB, at most 48\.8 kB allowed$/);
      const silence = await lookUntil(master.port, ({ isPassed }) => !isPassed, { maxLagMs: 900 });
      expect(silence.reason).toMatch(/^nothing heard from replica .* for .* s, at most 900 ms allowed$/);
    } finally {
      replica.resume();
    }
    await lookUntil(master.port, ({ isPassed }) => isPassed, { maxLagBytes: 50_000, minReplicas: 1 });
  });

  test('a replica whose link is down, and up again', async () => {
    replica.command('CONFIG', 'SET', 'masterauth', 'wrong');
    replica.command('REPLICAOF', '127.0.0.1', '1');
    const cut = await lookUntil(replica.port, ({ isPassed }) => !isPassed);
    expect(cut).toMatchObject({ doing: 'checking link to the master', facts: { is_link_up: false } });
    expect(cut.reason).toMatch(/^the link to its master 127\.0\.0\.1:1 is down/);
    expect(await lookUntil(master.port, ({ isPassed }) => !isPassed, { minReplicas: 1 })).toMatchObject({
      reason: '0 of 1 replicas are online',
    });
    replica.command('CONFIG', 'SET', 'masterauth', REDIS_PASSWORD);
    replica.command('REPLICAOF', '127.0.0.1', String(master.port));
    await lookUntil(replica.port, ({ isPassed }) => isPassed);
  });

  test('failing over by hand: the roles change places', async () => {
    replica.command('REPLICAOF', 'NO', 'ONE');
    expect(await look(replica.port, { role: 'replica' })).toMatchObject({ reason: 'role is master, replica expected' });
    expect(await look(replica.port, { role: 'master' })).toMatchObject({ isPassed: true });
    master.command('REPLICAOF', '127.0.0.1', String(replica.port));
    await lookUntil(master.port, ({ isPassed }) => isPassed, { role: 'replica' });
    await lookUntil(replica.port, ({ isPassed }) => isPassed, { role: 'master', minReplicas: 1 });
  });

  test('down', async () => {
    await replica.stop('SIGKILL');
    expect(await look(replica.port)).toMatchObject({
      isPassed: false,
      doing: 'connecting',
      reason: 'connection refused',
    });
  });
});

describe('the Redis probe', () => {
  test('nobody listens, somebody says nothing, somebody is no Redis', async () => {
    expect(await look(await freePort())).toMatchObject({ isPassed: false, reason: 'connection refused' });
    const silent = await unacceptingPort();
    try {
      expect(await look(silent.port, {}, AbortSignal.timeout(200))).toMatchObject({ reason: 'timed out' });
    } finally {
      silent.stop();
    }
    const web = await ScriptedBackend.start({
      script: reply('I am no Redis'),
      greeting: 'HTTP/1.1 400 Bad Request\r\n\r\n',
    });
    try {
      expect(await look(web.port)).toMatchObject({ isPassed: false });
    } finally {
      await web.stop();
    }
  });

  test('given up before it begins', async () => {
    expect(await look(1, {}, AbortSignal.abort())).toMatchObject({ isPassed: false, reason: 'timed out' });
  });
});
