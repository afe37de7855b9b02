import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProbeResult } from '../../src/probe/probe.ts';
import { redisProbe } from '../../src/probe/redis-probe.ts';
import { type SentinelProbeOptions, sentinelProbe } from '../../src/probe/sentinel-probe.ts';
import { until } from '../process/ask.ts';
import { describeWith } from '../support/needs-service.ts';
import { MASTER_NAME, REDIS_PASSWORD, RedisServer } from '../support/redis.ts';

function look(port: number, change: Partial<SentinelProbeOptions> = {}): Promise<ProbeResult> {
  const probe = sentinelProbe({ masterName: MASTER_NAME, minSentinels: 3, ...change });
  return probe.run({ kind: 'tcp', host: '127.0.0.1', port }, AbortSignal.timeout(10_000));
}

function lookUntil(port: number, isSo: (result: ProbeResult) => boolean): Promise<ProbeResult> {
  return until(async () => {
    const result = await look(port);
    return isSo(result) ? result : undefined;
  }, 30_000);
}

describeWith(['Redis'], 'the Sentinel probe, three of them over a master and its replica', () => {
  let master: RedisServer;
  let replica: RedisServer;
  let sentinels: RedisServer[] = [];

  beforeAll(async () => {
    master = await RedisServer.master();
    replica = await master.replica();
    sentinels = [await master.sentinel(2), await master.sentinel(2), await master.sentinel(2)];
    for (const { port } of sentinels)
      await lookUntil(port, ({ isPassed, facts }) => isPassed && facts['replicas'] === 1);
  });

  afterAll(async () => {
    for (const server of [...sentinels, replica, master]) await server?.remove();
  });

  const [first, second, third] = [0, 1, 2].map((i) => () => {
    const sentinel = sentinels[i];
    if (sentinel === undefined) throw new Error(`no Sentinel ${i}`);
    return sentinel;
  }) as [() => RedisServer, () => RedisServer, () => RedisServer];

  test('all know the master, each other, and reach the quorum', async () => {
    for (const { port } of sentinels) {
      expect(await look(port)).toMatchObject({
        isPassed: true,
        facts: { master: `127.0.0.1:${master.port}`, flags: 'master', sentinels: 3, replicas: 1, quorum: 2 },
      });
    }
  });

  test('an unknown name, fewer Sentinels than there should be, a Redis that is none', async () => {
    const { port } = first();
    expect(await look(port, { masterName: 'other' })).toMatchObject({
      isPassed: false,
      doing: 'asking for the master',
      reason: 'ERR No such master with that name',
    });
    expect(await look(port, { minSentinels: 5 })).toMatchObject({ reason: 'it knows of 3 Sentinels, 5 expected' });
    expect(await look(master.port, { password: REDIS_PASSWORD })).toMatchObject({ isPassed: false });
    expect(await look(master.port)).toMatchObject({ reason: 'NOAUTH Authentication required.' });
  });

  test('a Sentinel with a password of its own', async () => {
    const sentinel = await master.sentinel(2, ['requirepass "sentinel s3cret"']);
    const alone = { masterName: MASTER_NAME, minSentinels: 1 };
    try {
      expect(await look(sentinel.port, alone)).toMatchObject({
        isPassed: false,
        reason: 'NOAUTH Authentication required.',
      });
      const wrong = await look(sentinel.port, { ...alone, password: 'wr0ng' });
      expect(wrong).toMatchObject({ isPassed: false, doing: 'waiting for PONG' });
      expect(wrong.reason).toMatch(/^WRONGPASS /);
      expect((await look(sentinel.port, { ...alone, password: 'sentinel s3cret' })).facts).toMatchObject({
        master: `127.0.0.1:${master.port}`,
      });
    } finally {
      await sentinel.remove();
      // They remember it and would miss it.
      for (const { port } of sentinels)
        await until(async () => ((await look(port)).isPassed ? true : forget()), 30_000);
    }
  });

  test('the master dies: told while it is down, well again with the new one, and the roles have changed', async () => {
    await master.stop('SIGKILL');
    const { port } = first();
    const down = await lookUntil(port, ({ isPassed }) => !isPassed);
    expect(down).toMatchObject({ doing: 'checking the master' });
    expect(down.reason).toMatch(/no connection to the master|takes? the master to be down|a failover is under way/);
    const after = `127.0.0.1:${replica.port}`;
    for (const sentinel of sentinels) {
      await lookUntil(sentinel.port, ({ isPassed, facts }) => isPassed && facts['master'] === after);
    }
    const probe = redisProbe({
      role: 'master',
      maxLagBytes: null,
      maxLagMs: null,
      answersForReplicas: true,
      minReplicas: 0,
      password: REDIS_PASSWORD,
    });
    const target = { kind: 'tcp', host: '127.0.0.1', port: replica.port } as const;
    expect(await probe.run(target, AbortSignal.timeout(5000))).toMatchObject({ isPassed: true });
  });

  test('two of three are cut off: no quorum; down itself', async () => {
    await second().stop('SIGKILL');
    await third().stop('SIGKILL');
    const alone = await lookUntil(first().port, ({ isPassed }) => !isPassed);
    expect(alone).toMatchObject({ doing: 'checking quorum' });
    expect(alone.reason).toMatch(/^no quorum: 1 usable Sentinels/);
    expect(await look(second().port)).toMatchObject({ isPassed: false, reason: 'connection refused' });
  });

  function forget(): undefined {
    for (const sentinel of sentinels) sentinel.command('SENTINEL', 'RESET', MASTER_NAME);
    return undefined;
  }
});
