import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { CheckDocument } from '../../src/cli/check-document.ts';
import { freePort } from '../support/free-port.ts';
import { describeWith } from '../support/needs-service.ts';
import { POSTGRES_LOGIN, PostgresServer } from '../support/postgres.ts';
import { REDIS_PASSWORD, RedisServer } from '../support/redis.ts';
import { HANG, reply, ScriptedBackend } from '../support/scripted-backend.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { get, until } from './ask.ts';
import { type ProgramRun, runProgram } from './run-program.ts';
import { endStarted, shown, startProgram } from './started-program.ts';

const folder = tempFolder('check');

afterEach(endStarted);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function check(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<ProgramRun> {
  return runProgram(['check', ...args], { env });
}

describeWith(['PostgreSQL', 'Redis'], 'check, a whole stack', () => {
  let primary: PostgresServer;
  let replica: PostgresServer;
  let master: RedisServer;
  let follower: RedisServer;
  let sentinels: RedisServer[] = [];
  let web: ScriptedBackend;
  let args: string[] = [];
  let envFile = '';

  const at = ({ port }: { readonly port: number }): string => `127.0.0.1:${port}`;

  beforeAll(async () => {
    [primary, master] = await Promise.all([PostgresServer.primary(), RedisServer.master()]);
    [replica, follower] = await Promise.all([primary.replica('replica_1'), master.replica()]);
    sentinels = await Promise.all([1, 2, 3].map(() => master.sentinel(2)));
    web = await ScriptedBackend.start({
      script: ({ target }) => reply(target === '/api/health' ? '{"status": "healthy"}' : 'healthy\n'),
    });
    envFile = join(folder, '.env.production');
    writeFileSync(
      envFile,
      `POSTGRES_USER=${POSTGRES_LOGIN.user}\nPOSTGRES_PASSWORD='${POSTGRES_LOGIN.password}'\nPOSTGRES_DB=${POSTGRES_LOGIN.database}\nREDIS_PASSWORD='${REDIS_PASSWORD}'\n`,
    );
    args = [
      ...['--env-file', envFile, '--balancer', `http://${at(web)}/health`, '--body', 'healthy'],
      ...['--api', `http://${at(web)}/api/health`, '--api-body', '"healthy"', '--backend', at(web)],
      ...['--postgres', at(primary), '--postgres', at(replica), '--redis', at(master), '--redis', at(follower)],
      ...sentinels.flatMap((sentinel) => ['--sentinel', at(sentinel)]),
    ];
    await untilWell();
  });

  afterAll(async () => {
    await web?.stop();
    for (const server of [...sentinels, follower, master, replica, primary]) await server?.remove();
  });

  async function untilWell(): Promise<ProgramRun> {
    let last = '';
    return until(async () => {
      const run = await check(args);
      last = shown(run);
      return run.code === 0 ? run : undefined;
    }, 40_000).catch((error: Error) => {
      throw new Error(`${error.message}\n${last}`);
    });
  }

  test('all is well: the lines that the guide shows', async () => {
    const run = await untilWell();
    for (const line of [
      '✓ Nginx load balancer is healthy',
      '✓ Backend API is healthy',
      '✓ PostgreSQL primary is healthy',
      '✓ PostgreSQL replica is healthy',
      '✓ Redis master is healthy',
      '✓ Redis replica is healthy',
      '✓ Redis Sentinel is healthy',
    ]) {
      expect(shown(run)).toContain(line);
    }
    expect(shown(run)).not.toContain('✗');
  });

  test('wrong passwords: the parts are named, the passwords are not', async () => {
    const run = await check([...args, '--json'], { POSTGRES_PASSWORD: 'wr0ng-pg', REDIS_PASSWORD: 'wr0ng-redis' });
    expect(run.code).toBe(1);
    const document: CheckDocument = JSON.parse(shown(run));
    const bad = document.checks.filter(({ healthy }) => !healthy).map(({ name, reason }) => `${name}: ${reason}`);
    expect(bad).toEqual([
      'PostgreSQL server: password authentication failed for user "promptforge"',
      'PostgreSQL server: password authentication failed for user "promptforge"',
      'Redis server: WRONGPASS invalid username-password pair or user is disabled.',
      'Redis server: WRONGPASS invalid username-password pair or user is disabled.',
      'PostgreSQL primary: none of them is seen to be primary',
      'Redis master: none of them is seen to be master',
    ]);
    expect(run.stdout + run.stderr).not.toMatch(/wr0ng|s3cret/);
  });

  test('the password is not in the list of processes while it looks', async () => {
    const hung = await ScriptedBackend.start({ script: [HANG] });
    const program = startProgram(['check', ...args, '--backend', at(hung), '--timeout', '20s']);
    await until(async () =>
      readFileSync(`/proc/${program.pid}/cmdline`, 'latin1').includes('--sentinel') ? true : undefined,
    );
    expect(readFileSync(`/proc/${program.pid}/cmdline`, 'latin1')).not.toMatch(/s3cret/);
    await program.end('SIGKILL');
    await hung.stop();
  });

  test.each<[string, () => Promise<void> | void, () => Promise<void> | void, RegExp]>([
    [
      'the PostgreSQL replica is down',
      () => replica.stop(),
      () => replica.start(),
      /✗ PostgreSQL server is not healthy .* connection refused/,
    ],
    [
      'the Redis replica hangs',
      () => follower.pause(),
      () => follower.resume(),
      /✗ Redis server is not healthy .* timed out after 1000 ms/,
    ],
    [
      'a Sentinel is gone',
      () => sentinels[2]?.stop('SIGKILL'),
      () => sentinels[2]?.start(),
      /✗ Redis Sentinel is not healthy .* 127\.0\.0\.1:\d+: connection refused/,
    ],
    [
      'the PostgreSQL replica lags',
      async () => {
        replica.sql('SELECT pg_wal_replay_pause()');
        await until(async () =>
          replica.sql('SELECT pg_get_wal_replay_pause_state()') === 'paused' ? true : undefined,
        );
        primary.sql("CREATE TABLE load AS SELECT repeat('x', 1000) FROM generate_series(1, 500)");
      },
      () => {
        replica.sql('SELECT pg_wal_replay_resume()');
      },
      /✗ PostgreSQL replica is not healthy .* lags \d+(\.\d)? kB, at most 10 kB allowed/,
    ],
  ])('%s: exit 1, and it is named', async (_, spoil, mend, line) => {
    await spoil();
    try {
      await until(async () => {
        const run = await check([...args, '--timeout', '1s', '--max-lag', '10k']);
        return run.code === 1 && line.test(shown(run)) ? true : undefined;
      }, 40_000);
    } finally {
      await mend();
    }
    await untilWell();
  });

  test('the Redis master dies: not well until the Sentinels have made the replica master, which is then found', async () => {
    await master.stop('SIGKILL');
    const nodes = args.filter((_, i) => args[i] !== at(master) && args[i + 1] !== at(master));
    expect((await check(args)).code).toBe(1);
    await until(async () => {
      const run = await check(nodes);
      return run.code === 0 && /✓ Redis master is healthy +127/.test(shown(run)) ? true : undefined;
    }, 40_000);
    const whole = await check(args);
    expect(whole.code).toBe(1);
    expect(shown(whole)).toMatch(/✗ Redis server is not healthy .* connection refused/);
    await master.start();
    expect(shown(await untilWell())).toMatch(/✓ Redis replica is healthy/);
  });

  test('the PostgreSQL primary dies, the replica is promoted, the old one comes back as a second primary', async () => {
    await primary.stop('immediate');
    expect(shown(await check(args))).toMatch(
      /✗ PostgreSQL primary is not healthy .* none of them is seen to be primary/,
    );
    replica.promote();
    expect(shown(await check(args))).toMatch(/✓ PostgreSQL primary is healthy/);
    await primary.start();
    const run = await check(args);
    expect(run.code).toBe(1);
    expect(shown(run).match(/✗ PostgreSQL primary is not healthy .* 2 servers are primary/g)).toHaveLength(2);
  });

  test('probe exports what it sees of them', async () => {
    const port = await freePort();
    const program = startProgram([
      'probe',
      '--listen',
      `127.0.0.1:${port}`,
      '--interval',
      '100ms',
      '--env-file',
      envFile,
      '--postgres',
      at(replica),
      '--redis',
      at(follower),
    ]);
    const body = await until(async () => {
      const answer = await get(port, '/metrics').catch(() => null);
      return answer?.body.includes('evenkeel_probe_up{kind="redis"') ? answer.body : undefined;
    }, 20_000);
    expect(body).toContain(`evenkeel_probe_leader{kind="postgres",target="${at(replica)}"} 1`);
    expect(body).toContain(`evenkeel_probe_read_only{kind="redis",target="${at(follower)}"} 0`);
    expect(body).not.toMatch(/s3cret/);
    expect(await program.end()).toBe(0);
  });
});
