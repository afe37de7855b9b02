import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CheckDocument } from '../../src/cli/check-document.ts';
import { makeCertificate } from '../support/certificates.ts';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { describeWith } from '../support/needs-service.ts';
import { POSTGRES_LOGIN, PostgresServer } from '../support/postgres.ts';
import { EVENKEEL } from '../support/program.ts';
import { REDIS_PASSWORD, RedisServer } from '../support/redis.ts';
import { HANG, reply, type Script, ScriptedBackend } from '../support/scripted-backend.ts';
import { get, until } from './ask.ts';
import { type ProgramRun, runProgram } from './run-program.ts';

const folder = mkdtempSync(join(tmpdir(), 'check-'));
const backends: ScriptedBackend[] = [];
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) await ended(child);
  for (const backend of backends.splice(0)) await backend.stop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function backendOf(script: Script): Promise<string> {
  const backend = await ScriptedBackend.start({ script });
  backends.push(backend);
  return `127.0.0.1:${backend.port}`;
}

function check(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<ProgramRun> {
  return runProgram(['check', ...args], { env });
}

/** As a person sees it. */
function shown(run: ProgramRun): string {
  return Buffer.from(run.stdout, 'latin1').toString('utf8');
}

function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { child: ChildProcess; output: () => string } {
  const [executable, ...before] = EVENKEEL.command;
  const child = spawn(executable, [...before, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return { child, output: () => output };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  const isOver = child.exitCode !== null || child.signalCode !== null;
  const exit = isOver ? Promise.resolve() : new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await exit;
  return child.exitCode;
}

describe('check', () => {
  test('one backend that is well: a line, exit 0, no colour into a pipe', async () => {
    const at = await backendOf(reply('ok'));
    const run = await check(['--backend', at]);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(shown(run)).toMatch(
      /^✓ Backend is healthy {2}127\.0\.0\.1:\d+ {2}status 200, \S+ m?s\nall 1 checks passed\n$/,
    );
  });

  test('one of two is not: exit 1, and why; --json says the same', async () => {
    const [well, sick] = [await backendOf(reply('ok')), await backendOf(reply('no', '500 Oops'))];
    const run = await check(['--backend', well, '--backend', sick]);
    expect(run.code).toBe(1);
    expect(shown(run)).toContain(`✗ Backend is not healthy  ${sick}  status 500, 200-399 expected\n`);
    const json = await check(['--backend', well, '--backend', sick, '--json']);
    expect(json).toMatchObject({ code: 1, stderr: '' });
    const document: CheckDocument = JSON.parse(shown(json));
    expect(document).toMatchObject({ schema: 1, healthy: false });
    expect(document.checks.map(({ target, healthy }) => [target, healthy])).toEqual([
      [well, true],
      [sick, false],
    ]);
  });

  test('one that hangs does not hold up the others, nor the end', async () => {
    const [well, hung] = [await backendOf(reply('ok')), await backendOf([HANG])];
    const run = await check(['--backend', well, '--backend', hung, '--timeout', '300ms']);
    expect(run.code).toBe(1);
    expect(shown(run)).toContain('timed out after 300 ms, waiting for the answer');
    expect(shown(run)).toContain(`✓ Backend is healthy      ${well}`);
  });

  test.each([
    [[], 'Say what to look at'],
    [['--timeout', 'soon', '--backend', 'a'], '--timeout soon: a time from 1ms'],
    [['--watch', '0', '--backend', 'a'], '--watch 0: a time from 1ms'],
    [['--redis-password', 'pa55'], 'Unknown argument'],
    [['--redis', 'redis://:pa55@h'], '--redis: write HOST:PORT'],
    [['--conf', '/no/such.conf'], '--conf /no/such.conf: open() "/no/such.conf" failed'],
    [['--backend'], 'Not enough arguments following: backend'],
    [['--ca', '/no/such.pem', '--backend', 'a'], '--ca /no/such.pem: No such file or directory'],
  ])('%j: exit 2, and what is wrong', async (args, text) => {
    const run = await check(args);
    expect(run).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(text) });
    expect(run.stderr).not.toContain('pa55');
    expect(run.stderr).toContain('Try: evenkeel check --help\n');
  });

  test('an env file that is not there: Node itself looks for it, wherever the flag stands, and says so', async () => {
    const run = await check(['--env-file', '/no/such', '--backend', 'a']);
    expect(run.code).toBeGreaterThan(1);
    expect(run.stderr).toMatch(/\/no\/such: (?:not found|No such file or directory)/);
  });

  test('--help teaches by examples', async () => {
    const run = await check(['--help']);
    expect(run.code).toBe(0);
    for (const text of ['--env-file', 'POSTGRES_PASSWORD', '--sentinel', 'Examples:', 'Exit: 0'])
      expect(run.stdout).toContain(text);
  });

  test('the ports and backends of a configuration', async () => {
    const [at, port] = [await backendOf(reply('ok')), await freePort()];
    const path = join(folder, 'nginx.conf');
    writeFileSync(
      path,
      `events {}\nhttp { upstream u { server ${at}; server 127.0.0.1:1 down; }\nserver { listen 127.0.0.1:${port}; location / { proxy_pass http://u; } } }\n`,
    );
    const run = await check(['--conf', path]);
    expect(run.code).toBe(1);
    const lines = shown(run).split('\n');
    expect(lines[0]).toMatch(/^✗ Nginx load balancer is not healthy {2}127\.0\.0\.1:\d+ +connection refused$/);
    expect(lines[1]).toMatch(/^✓ Backend is healthy +127\.0\.0\.1:\d+ +status 200/);
    const { child } = start(['-p', folder, '-c', path, '-e', 'stderr', '-g', `daemon off; pid ${folder}/pid;`]);
    await until(async () => ((await get(port).catch(() => null))?.status === 200 ? true : undefined));
    const after = await check(['--conf', path]);
    expect(after.code).toBe(0);
    expect(shown(after)).toContain('✓ Nginx load balancer is healthy');
    await ended(child, 'SIGQUIT');
  });

  test('TLS: an authority from a file, or no matter whose', async () => {
    const { key, cert } = makeCertificate('localhost', { names: ['localhost'], days: 60 });
    writeFileSync(join(folder, 'ca.pem'), cert);
    const backend = await ScriptedBackend.start({ script: reply('healthy\n'), tls: { key, cert } });
    backends.push(backend);
    const args = ['--balancer', `https://localhost:${backend.port}/health`, '--body', 'healthy'];
    expect(shown(await check(args))).toContain('the certificate is self-signed');
    const trusted = await check([...args, '--ca', join(folder, 'ca.pem')]);
    expect(trusted.code).toBe(0);
    expect(shown(trusted)).toMatch(
      /^✓ Nginx load balancer is healthy {2}\S+ {2}status 200, TLSv1\.3, certificate for 59 days/,
    );
    expect(await check([...args, '--insecure'])).toMatchObject({ code: 0 });
    expect(await check([...args, '--insecure', '--cert-days', '90'])).toMatchObject({ code: 1 });
  });

  test('--watch looks again until it is ended; the last round decides', async () => {
    const at = await backendOf(reply('ok'));
    const { child, output } = start(['check', '--backend', at, '--watch', '50ms', '--json']);
    const rounds = (): CheckDocument[] =>
      output()
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    await poll(() => (rounds().length >= 2 ? true : undefined), 20_000);
    for (const backend of backends.splice(0)) await backend.stop();
    await poll(() => (rounds().at(-1)?.healthy === false ? true : undefined), 20_000);
    expect(await ended(child, 'SIGINT')).toBe(1);
    expect(rounds()[0]?.healthy).toBe(true);
  });
});

describe('probe', () => {
  test('keeps looking; metrics and health; ends in order on SIGTERM', async () => {
    const backend = await ScriptedBackend.start({ script: reply('ok') });
    backends.push(backend);
    const port = await freePort();
    const target = `127.0.0.1:${backend.port}`;
    const { child, output } = start([
      'probe',
      '--listen',
      `127.0.0.1:${port}`,
      '--interval',
      '50ms',
      '--backend',
      target,
    ]);
    const metric = async (text: string): Promise<true> =>
      until(
        async () => ((await get(port, '/metrics').catch(() => null))?.body.includes(text) ? true : undefined),
        20_000,
      );
    await metric(`evenkeel_probe_up{kind="backend",target="${target}"} 1`);
    expect(await get(port, '/healthz')).toEqual({ status: 200, body: 'ok\n' });
    expect((await get(port, '/other')).status).toBe(404);
    await backend.stop();
    await metric(`evenkeel_probe_up{kind="backend",target="${target}"} 0`);
    await metric('evenkeel_probe_all_up 0');
    expect(await get(port, '/healthz')).toEqual({ status: 200, body: 'ok\n' });
    expect(await ended(child)).toBe(0);
    expect(output()).toBe(`evenkeel: metrics at http://127.0.0.1:${port}/metrics\n`);
  });

  test('before the first round is over nothing is well; and it can be ended', async () => {
    const hung = await backendOf([HANG]);
    const port = await freePort();
    const { child } = start(['probe', '--listen', `127.0.0.1:${port}`, '--timeout', '60s', '--backend', hung]);
    const health = await until(async () => get(port, '/healthz').catch(() => undefined), 20_000);
    expect(health).toEqual({ status: 503, body: 'the first round is not over yet\n' });
    expect(await ended(child, 'SIGINT')).toBe(0);
  });

  test('a port that is taken: exit 1; a wrong one: exit 2', async () => {
    const at = await backendOf(reply('ok'));
    const taken = await runProgram(['probe', '--listen', at, '--backend', at]);
    expect(taken).toMatchObject({ code: 1, stderr: `evenkeel: --listen ${at}: Address already in use\n` });
    const wrong = await runProgram(['probe', '--listen', 'here', '--backend', at]);
    expect(wrong).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--listen here: write PORT, :PORT or ADDRESS:PORT'),
    });
  });
});

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
    const hung = await backendOf([HANG]);
    const { child } = start(['check', ...args, '--backend', hung, '--timeout', '20s'], {});
    await until(async () =>
      readFileSync(`/proc/${child.pid}/cmdline`, 'latin1').includes('--sentinel') ? true : undefined,
    );
    expect(readFileSync(`/proc/${child.pid}/cmdline`, 'latin1')).not.toMatch(/s3cret/);
    await ended(child, 'SIGKILL');
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
    const { child } = start([
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
    expect(await ended(child)).toBe(0);
  });
});
