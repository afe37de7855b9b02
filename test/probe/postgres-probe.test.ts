import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresProbe } from '../../src/probe/postgres-probe.ts';
import type { PostgresDemand } from '../../src/probe/postgres-verdict.ts';
import type { ProbeResult } from '../../src/probe/probe.ts';
import { until } from '../process/ask.ts';
import { freePort } from '../support/free-port.ts';
import { describeWith } from '../support/needs-service.ts';
import { POSTGRES_LOGIN, PostgresServer } from '../support/postgres.ts';
import { unacceptingPort } from '../support/unaccepting-port.ts';

const DEMAND: PostgresDemand = {
  role: 'any',
  maxLagBytes: 100_000,
  maxLagMs: null,
  answersForReplicas: true,
  maxSlotWalBytes: null,
  minReplicas: 0,
};

interface Change extends Partial<PostgresDemand> {
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
}

function look(port: number, change: Change = {}, signal = AbortSignal.timeout(10_000)): Promise<ProbeResult> {
  const probe = postgresProbe({ ...DEMAND, ...POSTGRES_LOGIN, ...change });
  return probe.run({ kind: 'tcp', host: '127.0.0.1', port }, signal);
}

/** Looks until it comes out so. */
function lookUntil(port: number, isSo: (result: ProbeResult) => boolean, change: Change = {}): Promise<ProbeResult> {
  return until(async () => {
    const result = await look(port, change);
    return isSo(result) ? result : undefined;
  }, 20_000);
}

describeWith(['PostgreSQL'], 'the PostgreSQL probe, a primary and its replica', () => {
  let primary: PostgresServer;
  let replica: PostgresServer;

  beforeAll(async () => {
    primary = await PostgresServer.primary();
    replica = await primary.replica('replica_1');
    primary.sql('CREATE TABLE load (t text)');
    await lookUntil(primary.port, (result) => result.isPassed, { minReplicas: 1 });
    await lookUntil(replica.port, (result) => result.isPassed);
  });

  afterAll(async () => {
    await replica?.remove();
    await primary?.remove();
  });

  test('both are well, each in its role', async () => {
    expect(await look(primary.port, { role: 'primary', minReplicas: 1 })).toMatchObject({
      isPassed: true,
      reason: '',
      facts: {
        role: 'primary',
        replicas: 1,
        slots: 1,
        slots_inactive: 0,
        is_read_only: false,
        is_archiving: false,
        timeline: 1,
      },
    });
    const identifier = primary.sql('SELECT system_identifier FROM pg_control_system()');
    expect(await look(replica.port, { role: 'replica' })).toMatchObject({
      isPassed: true,
      facts: {
        role: 'replica',
        is_streaming: true,
        follows: `127.0.0.1:${primary.port}`,
        lag_bytes: 0,
        lag_seconds: 0,
        system_identifier: identifier,
        timeline: 1,
      },
    });
  });

  test('by a unix socket', async () => {
    const probe = postgresProbe({ ...DEMAND, ...POSTGRES_LOGIN });
    const target = { kind: 'unix', path: join(primary.folder, `.s.PGSQL.${primary.port}`) } as const;
    expect(await probe.run(target, AbortSignal.timeout(10_000))).toMatchObject({ isPassed: true });
  });

  test('the wrong role', async () => {
    expect(await look(primary.port, { role: 'replica' })).toMatchObject({
      isPassed: false,
      doing: 'checking role',
      reason: 'role is primary, replica expected',
    });
    expect(await look(replica.port, { role: 'primary' })).toMatchObject({
      isPassed: false,
      reason: 'role is replica, primary expected',
    });
  });

  test('a wrong password, none, a user and a database that are not there', async () => {
    const { password: _, ...nameless } = POSTGRES_LOGIN;
    const none = postgresProbe({ ...DEMAND, ...nameless });
    const results = [
      await look(primary.port, { password: 'wr0ng secret' }),
      await none.run({ kind: 'tcp', host: '127.0.0.1', port: primary.port }, AbortSignal.timeout(10_000)),
      await look(primary.port, { user: 'nobody' }),
      await look(primary.port, { database: 'nowhere' }),
    ];
    expect(results.map(({ isPassed, reason }) => [isPassed, reason])).toEqual([
      [false, 'password authentication failed for user "promptforge"'],
      [false, 'a password is wanted for user "promptforge" and none was given'],
      [false, 'password authentication failed for user "nobody"'],
      [false, 'database "nowhere" does not exist'],
    ]);
    expect(JSON.stringify(results)).not.toMatch(/wr0ng|s3cret/);
  });

  test('a password in the environment is not used for one that was not given', async () => {
    process.env['PGPASSWORD'] = POSTGRES_LOGIN.password;
    try {
      expect((await look(primary.port, { password: '' })).reason).toMatch(/none was given$/);
    } finally {
      delete process.env['PGPASSWORD'];
    }
  });

  test('a user without pg_monitor: what can not be seen is not well', async () => {
    primary.sql("CREATE ROLE plain LOGIN PASSWORD 'plain'");
    const plain = { user: 'plain', password: 'plain' };
    expect(await look(primary.port, plain)).toMatchObject({
      isPassed: false,
      reason: 'the user may not read pg_stat_replication: GRANT pg_monitor to it',
    });
    const seen = await lookUntil(replica.port, ({ reason }) => !reason.includes('authentication'), plain);
    expect(seen).toMatchObject({
      isPassed: false,
      reason: 'the user may not read pg_stat_wal_receiver: GRANT pg_monitor to it',
    });
    primary.sql('GRANT pg_monitor TO plain');
    await lookUntil(primary.port, ({ isPassed }) => isPassed, plain);
    await lookUntil(replica.port, ({ isPassed }) => isPassed, plain);
  });

  test('a primary that takes no writes', async () => {
    primary.sql(`ALTER DATABASE ${POSTGRES_LOGIN.database} SET default_transaction_read_only = on`, 'postgres');
    expect(await look(primary.port)).toMatchObject({
      isPassed: false,
      reason: 'it takes no writes: transactions are read-only',
      facts: { role: 'primary', is_read_only: true },
    });
    primary.sql(`ALTER DATABASE ${POSTGRES_LOGIN.database} RESET default_transaction_read_only`, 'postgres');
    expect(await look(primary.port)).toMatchObject({ isPassed: true });
  });

  test('a replica that lags: bytes and seconds, seen from both sides; and that has caught up', async () => {
    replica.sql('SELECT pg_wal_replay_pause()');
    await until(async () => (replica.sql('SELECT pg_get_wal_replay_pause_state()') === 'paused' ? true : undefined));
    primary.sql("INSERT INTO load SELECT repeat('x', 1000) FROM generate_series(1, 1000)");
    const lagging = await lookUntil(replica.port, (result) => Number(result.facts['lag_bytes']) > 1_000_000);
    expect(lagging).toMatchObject({ isPassed: false, doing: 'checking lag', facts: { is_replay_paused: true } });
    expect(lagging.reason).toMatch(/^lags 1\.\d MB, at most 97\.7 kB allowed, replay is paused$/);
    const late = await lookUntil(replica.port, ({ isPassed }) => !isPassed, { maxLagBytes: null, maxLagMs: 1 });
    expect(late.reason).toMatch(/^lags .*s, at most 1 ms allowed, replay is paused$/);
    const seen = await lookUntil(primary.port, ({ isPassed }) => !isPassed, { minReplicas: 1 });
    expect(seen.reason).toMatch(/^replica replica_1 lags 1\.\d MB, at most 97\.7 kB allowed$/);
    expect(await look(replica.port, { maxLagBytes: null })).toMatchObject({ isPassed: true });
    replica.sql('SELECT pg_wal_replay_resume()');
    await lookUntil(replica.port, ({ isPassed }) => isPassed, { maxLagMs: 60_000 });
    await lookUntil(primary.port, ({ isPassed }) => isPassed, { minReplicas: 1 });
  });

  test('a replica that is not streaming, a slot that nobody reads; both come back', async () => {
    replica.set('primary_conninfo', 'host=127.0.0.1 port=1 user=nobody');
    const cut = await lookUntil(replica.port, ({ isPassed }) => !isPassed);
    expect(cut).toMatchObject({ doing: 'checking streaming', facts: { is_streaming: false } });
    expect(cut.reason).toMatch(/^not streaming: /);
    await lookUntil(primary.port, ({ reason }) =>
      /^slot replica_1 is inactive and keeps \S+ k?M?B of WAL$/.test(reason),
    );
    expect(await look(primary.port, { minReplicas: 1 })).toMatchObject({ reason: '0 of 1 replicas are streaming' });
    primary.sql("INSERT INTO load SELECT repeat('x', 1000) FROM generate_series(1, 1000)");
    expect(await look(primary.port)).toMatchObject({ facts: { slots_inactive: 1 } });
    const { user, password } = POSTGRES_LOGIN;
    const source = `host=127.0.0.1 port=${primary.port} user=${user} password='${password}' application_name=replica_1`;
    replica.set('primary_conninfo', source);
    await lookUntil(replica.port, ({ isPassed }) => isPassed);
    await lookUntil(primary.port, ({ isPassed }) => isPassed, { minReplicas: 1 });
  });

  test('nobody listens, or somebody who says nothing', async () => {
    expect(await look(await freePort())).toMatchObject({
      isPassed: false,
      doing: 'connecting',
      reason: 'connection refused',
    });
    const silent = await unacceptingPort();
    try {
      expect(await look(silent.port, {}, AbortSignal.timeout(200))).toMatchObject({
        isPassed: false,
        reason: 'timed out',
      });
    } finally {
      silent.stop();
    }
  });
});

describeWith(['PostgreSQL'], 'the PostgreSQL probe, through a failover', () => {
  test('down, promoted, two primaries that differ in their time line', async () => {
    const primary = await PostgresServer.primary();
    const replica = await primary.replica('replica_1');
    try {
      await lookUntil(replica.port, ({ isPassed }) => isPassed);
      await primary.stop('immediate');
      expect(await look(primary.port)).toMatchObject({ isPassed: false, reason: 'connection refused' });
      await lookUntil(replica.port, ({ reason }) => reason.startsWith('not streaming: '));
      replica.promote();
      expect(await look(replica.port, { role: 'replica' })).toMatchObject({
        reason: 'role is primary, replica expected',
      });
      expect(await look(replica.port, { role: 'primary' })).toMatchObject({ isPassed: true, facts: { timeline: 2 } });
      await primary.start();
      expect(await look(primary.port)).toMatchObject({ facts: { role: 'primary', timeline: 1 } });
    } finally {
      await replica.remove();
      await primary.remove();
    }
  });
});

describeWith(['PostgreSQL'], 'the PostgreSQL probe and WAL archiving', () => {
  test('works, and fails', async () => {
    const switchFile = 'archive-works';
    const primary = await PostgresServer.primary(['archive_mode = on', `archive_command = 'test -e ../${switchFile}'`]);
    const works = join(primary.folder, switchFile);
    try {
      writeFileSync(works, '');
      primary.sql('CREATE TABLE a (); SELECT pg_switch_wal()');
      const archived = (): Promise<ProbeResult> =>
        until(
          async () =>
            primary.sql('SELECT archived_count > 0 FROM pg_stat_archiver') === 't' ? look(primary.port) : undefined,
          20_000,
        );
      expect(await archived()).toMatchObject({
        isPassed: true,
        facts: { is_archiving: true, is_archiving_failing: false },
      });
      rmSync(works);
      primary.sql('CREATE TABLE b (); SELECT pg_switch_wal()');
      const failing = await lookUntil(primary.port, ({ isPassed }) => !isPassed);
      expect(failing).toMatchObject({ doing: 'checking WAL archiving', facts: { is_archiving_failing: true } });
      expect(failing.reason).toMatch(/^WAL archiving fails: last [0-9A-F]{24}, \d+ failed attempts$/);
    } finally {
      await primary.remove();
    }
  });
});

describe('the PostgreSQL probe', () => {
  test('given up before it begins', async () => {
    expect(await look(1, {}, AbortSignal.abort())).toMatchObject({ isPassed: false, reason: 'timed out' });
  });
});
