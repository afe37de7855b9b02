import { afterEach, describe, expect, test } from 'vitest';
import { nowMs } from '../../src/core/clock.ts';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { HealthBackend } from '../support/health-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { get, isAlive, until, untilLogged, workerPids } from './ask.ts';

const INTERVAL_MS = 200;

let proxy: RunningProxy | undefined;
let backends: HealthBackend[] = [];

afterEach(async () => {
  await proxy?.stop();
  await Promise.all(backends.map((backend) => backend.stop()));
  proxy = undefined;
  backends = [];
});

async function startBackends(names: string): Promise<HealthBackend[]> {
  backends = await Promise.all([...names].map((name) => HealthBackend.start(name)));
  return backends;
}

interface ConfOptions {
  readonly workers?: number;
  readonly check?: string;
  readonly upstream?: string;
  readonly main?: string;
}

/** `/` is balanced and checked; `/pid` tells the worker; `/status` what all workers see. */
function confOf(port: number, { workers = 1, check = '', upstream = '', main = '' }: ConfOptions = {}): string {
  const servers = backends.map((backend) => `server 127.0.0.1:${backend.port};`).join(' ');
  return `error_log error.log notice; worker_processes ${workers}; ${main}
events {}
http {
  access_log off;
  upstream u { zone u 64k; ${upstream} ${servers} }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://u; proxy_set_header X-Check $proxy_host; health_check uri=/health interval=${INTERVAL_MS}ms ${check}; }
    location /pid { return 200 $pid; }
    location /status { lb_status; }
  }
}
`;
}

async function start(options: ConfOptions = {}): Promise<{ proxy: RunningProxy; port: number }> {
  const port = await freePort();
  proxy = await startProxy({ conf: confOf(port, options) });
  return { proxy, port };
}

/** State of each peer, the worst that any worker says. */
async function states(port: number): Promise<string[]> {
  const document = JSON.parse((await get(port, '/status')).body) as {
    upstreams: { u: { peers: { state: string }[] } };
  };
  return document.upstreams.u.peers.map((peer) => peer.state);
}

async function untilTrue(isTrue: () => boolean): Promise<void> {
  if ((await poll(() => (isTrue() ? true : undefined), 10_000)) === undefined) throw new Error('not within 10 s');
}

const untilStates = (port: number, wanted: string): Promise<string> =>
  until(async () => {
    const now = (await states(port)).join(' ');
    return now === wanted ? now : undefined;
  });

/** Names of the backends that so many requests meet. */
async function met(port: number, requests = 6): Promise<string> {
  const names = new Set<string>();
  for (let i = 0; i < requests; i++) names.add((await get(port)).body);
  return [...names].toSorted().join('');
}

function logged(running: RunningProxy, pattern: RegExp): number {
  return running.errorLog().match(new RegExp(pattern, 'g'))?.length ?? 0;
}

const checkerPid = (running: RunningProxy): number =>
  Number([...running.errorLog().matchAll(/start health check process (\d+)/g)].at(-1)?.[1] ?? 0);

describe('a backend that answers 200 at / and 503 at its health path', () => {
  test('leaves after so many failed checks, and comes back after so many passed ones', async () => {
    const [a, b] = await startBackends('ab');
    if (a === undefined || b === undefined) throw new Error('no backends');
    const { proxy: running, port } = await start({ check: 'fails=3 passes=2' });
    await untilTrue(() => a.checks.length > 1 && b.checks.length > 1);
    expect(await met(port)).toBe('ab');
    a.health = 'ill';
    const before = a.checks.length;
    await untilStates(port, 'unhealthy up');
    // Three looks were enough, and no fewer.
    expect(a.checks.length - before).toBeGreaterThanOrEqual(3);
    expect((a.checks[before + 2] ?? 0) - (a.checks[before] ?? 0)).toBeLessThan(3 * INTERVAL_MS + 1000);
    expect(await met(port)).toBe('b');
    a.health = 'well';
    await untilStates(port, 'up up');
    expect(await met(port)).toBe('ab');
    const who = `health check "" of peer 127.0.0.1:${a.port} in upstream "u"`;
    expect(
      logged(
        running,
        new RegExp(`\\[warn\\] .*: peer is unhealthy while checking status code, ${who}: status is 503\n`),
      ),
    ).toBe(1);
    expect(logged(running, new RegExp(`\\[notice\\] .*: peer is healthy while checking status code, ${who}\n`))).toBe(
      1,
    );
  });

  test('is asked with the fields of the location', async () => {
    const [a] = await startBackends('a');
    const { port } = await start();
    await untilTrue(() => (a?.checks.length ?? 0) > 0);
    expect(a?.lastHead).toMatch(/^GET \/health HTTP\/1\.1\r\n/);
    expect(a?.lastHead).toMatch(/\r\nhost: u\r\n/i);
    expect(a?.lastHead).toMatch(/\r\nx-check: u\r\n/i);
    expect((await get(port)).body).toBe('a');
  });
});

describe('other troubles', () => {
  test('one that hangs at its health path leaves, and its check ends with its interval', async () => {
    const [a] = await startBackends('ab');
    const { proxy: running, port } = await start();
    await untilStates(port, 'up up');
    if (a !== undefined) a.health = 'hang';
    await untilStates(port, 'unhealthy up');
    expect(await met(port)).toBe('b');
    expect(running.errorLog()).toContain('peer is unhealthy while reading response header from upstream, health check');
  });

  test('one that flaps flips once for each cause, and not at all below the threshold', async () => {
    const [a] = await startBackends('ab');
    if (a === undefined) throw new Error('no backend');
    const { proxy: running, port } = await start({ check: 'fails=2 passes=2' });
    // Every other look fails: never two in a row.
    for (let i = 0; i < 6; i++) {
      const seen = a.checks.length;
      a.health = i % 2 === 0 ? 'ill' : 'well';
      await untilTrue(() => a.checks.length > seen);
    }
    a.health = 'well';
    expect(logged(running, /peer is unhealthy/)).toBe(0);
    for (let round = 1; round <= 2; round++) {
      a.health = 'ill';
      await untilStates(port, 'unhealthy up');
      a.health = 'well';
      await untilStates(port, 'up up');
      expect(logged(running, /peer is unhealthy/)).toBe(round);
      expect(logged(running, /peer is healthy/)).toBe(round);
    }
  });

  test('all are down: 502; all come back by themselves', async () => {
    const [a, b] = await startBackends('ab');
    const { port } = await start();
    await untilStates(port, 'up up');
    await Promise.all([a?.stop(), b?.stop()]);
    await untilStates(port, 'unhealthy unhealthy');
    expect((await get(port)).status).toBe(502);
    await Promise.all([a?.comeBack(), b?.comeBack()]);
    await untilStates(port, 'up up');
    expect(await met(port)).toBe('ab');
  });

  test('in a panic all are used, which the log says once for all workers', async () => {
    const [a, b] = await startBackends('ab');
    const { proxy: running, port } = await start({ workers: 2, upstream: 'panic_threshold 60%;' });
    await untilStates(port, 'up up');
    if (a !== undefined) a.health = 'ill';
    await untilStates(port, 'unhealthy up');
    expect(await met(port, 12)).toBe('ab');
    expect(logged(running, /\[warn\] .*: panic in upstream "u": 1 of 2 peers up, panic_threshold is 60%/)).toBe(1);
    if (a !== undefined) a.health = 'well';
    await untilStates(port, 'up up');
    await until(async () => {
      await get(port);
      return logged(running, /panic in upstream "u" is over: 2 of 2 peers up/) > 0 ? true : undefined;
    });
    expect(b?.requests).toBeGreaterThan(0);
  });
});

describe('over workers, reloads and deaths', () => {
  test('four workers agree as soon as the primary knows, and the checks are made once for all of them', async () => {
    const [a] = await startBackends('ab');
    if (a === undefined) throw new Error('no backend');
    const { proxy: running, port } = await start({ workers: 4 });
    await untilStates(port, 'up up');
    expect(workerPids(running).length).toBe(4);
    for (const health of ['ill', 'well', 'ill', 'well'] as const) {
      const wanted = health === 'ill' ? /peer is unhealthy/ : /peer is healthy/;
      const before = logged(running, wanted);
      a.health = health;
      await untilTrue(() => logged(running, wanted) > before);
      // What the primary has told them comes before what it asks them now: no second look is needed. (Within 100 ms is what was asked for.)
      expect(await states(port)).toEqual([health === 'ill' ? 'unhealthy' : 'up', 'up']);
      const asked = a.requests;
      const names = await met(port, 20);
      expect(names).toBe(health === 'ill' ? 'b' : 'ab');
      if (health === 'ill') expect(a.requests).toBe(asked);
    }
    const looks = a.checks.length;
    const spanMs = (a.checks.at(-1) ?? 0) - (a.checks[0] ?? 0);
    expect(looks).toBeLessThanOrEqual(spanMs / INTERVAL_MS + 3);
  });

  test('a worker that is replaced knows from its first request on', async () => {
    const [a] = await startBackends('ab');
    if (a === undefined) throw new Error('no backend');
    const { proxy: running, port } = await start();
    await untilStates(port, 'up up');
    a.health = 'ill';
    await untilStates(port, 'unhealthy up');
    const [first = 0] = workerPids(running);
    process.kill(first, 'SIGKILL');
    const asked = a.requests;
    expect(await met(port)).toBe('b');
    expect(a.requests).toBe(asked);
    expect((await get(port, '/pid')).body).not.toBe(String(first));
    expect(await states(port)).toEqual(['unhealthy', 'up']);
  });

  test('a reload keeps what is known of peers that stay', async () => {
    const [a] = await startBackends('ab');
    if (a === undefined) throw new Error('no backend');
    const { proxy: running, port } = await start({ check: 'mandatory' });
    await untilStates(port, 'up up');
    a.health = 'ill';
    await untilStates(port, 'unhealthy up');
    const asked = a.requests;
    running.rewriteConf(confOf(port, { check: 'mandatory', upstream: 'least_conn;' }));
    running.signal('SIGHUP');
    await untilLogged(running, /reconfiguring/);
    // Through the reload no request goes astray.
    for (let i = 0; i < 20; i++) expect((await get(port)).body).toBe('b');
    expect(a.requests).toBe(asked);
    a.health = 'well';
    await untilStates(port, 'up up');
  });

  test('a reload without checks ends them, and all peers are used', async () => {
    const [a] = await startBackends('ab');
    if (a === undefined) throw new Error('no backend');
    const { proxy: running, port } = await start();
    a.health = 'ill';
    await untilStates(port, 'unhealthy up');
    const checker = checkerPid(running);
    running.rewriteConf(confOf(port).replace(/health_check [^;]*;/, ''));
    running.signal('SIGHUP');
    await untilStates(port, 'up up');
    await untilTrue(() => !isAlive(checker));
    expect(await met(port)).toBe('ab');
  });

  test('mandatory: a peer that a reload brings gets nothing before its first pass', async () => {
    const [a, b] = await startBackends('ab');
    if (a === undefined || b === undefined) throw new Error('no backends');
    const newcomer = await HealthBackend.start('c');
    newcomer.health = 'ill';
    backends = [a, b];
    const { proxy: running, port } = await start({ workers: 2, check: 'mandatory fails=1000' });
    await untilStates(port, 'up up');
    backends = [a, b, newcomer];
    running.rewriteConf(confOf(port, { workers: 2, check: 'mandatory fails=1000' }));
    running.signal('SIGHUP');
    await untilStates(port, 'up up checking');
    await until(async () => {
      expect(await met(port, 4)).toBe('ab');
      return newcomer.checks.length > 2 ? true : undefined;
    });
    expect(newcomer.requests).toBe(0);
    newcomer.health = 'well';
    await untilStates(port, 'up up up');
    expect(await met(port, 8)).toBe('abc');
  });

  test('the process that checks dies: nothing else does, states stay, and another one goes on', async () => {
    const [a] = await startBackends('ab');
    if (a === undefined) throw new Error('no backend');
    const { proxy: running, port } = await start();
    a.health = 'ill';
    await untilStates(port, 'unhealthy up');
    const workers = workerPids(running);
    const first = checkerPid(running);
    process.kill(first, 'SIGKILL');
    expect(await untilLogged(running, new RegExp(`health check process ${first} ended: SIGKILL`))).toBe(true);
    expect(await met(port)).toBe('b');
    a.health = 'well';
    await untilStates(port, 'up up');
    expect(checkerPid(running)).not.toBe(first);
    expect(workerPids(running)).toEqual(workers);
  });

  test('where that process stood still, nobody is thought ill for it', async () => {
    const [a] = await startBackends('ab');
    if (a === undefined) throw new Error('no backend');
    const { proxy: running, port } = await start();
    await untilStates(port, 'up up');
    const checker = checkerPid(running);
    // Stopped while a look is under way, so that its time is over when it goes on.
    a.health = 'hang';
    const seen = a.checks.length;
    await untilTrue(() => a.checks.length > seen);
    process.kill(checker, 'SIGSTOP');
    a.health = 'well';
    const stoppedAtMs = nowMs();
    await untilTrue(() => nowMs() - stoppedAtMs > 1500);
    const before = a.checks.length;
    process.kill(checker, 'SIGCONT');
    await untilTrue(() => a.checks.length > before + 2);
    expect(logged(running, /peer is unhealthy/)).toBe(0);
  });

  test('under load, a backend that falls ill takes no request along', async () => {
    const [a] = await startBackends('abc');
    if (a === undefined) throw new Error('no backend');
    const { port } = await start({ workers: 4 });
    await untilStates(port, 'up up up');
    let isOver = false;
    const failures: number[] = [];
    let served = 0;
    const load = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (!isOver) {
          const { status } = await get(port);
          if (status === 200) served++;
          else failures.push(status);
        }
      }),
    );
    for (let round = 0; round < 3; round++) {
      a.health = 'ill';
      await untilStates(port, 'unhealthy up up');
      const asked = a.requests;
      const before = served;
      await untilTrue(() => served > before + 50);
      expect(a.requests).toBe(asked);
      a.health = 'well';
      await untilStates(port, 'up up up');
    }
    isOver = true;
    await load;
    expect(failures).toEqual([]);
  });

  test('it ends with the program, however that ends', async () => {
    await startBackends('a');
    const { proxy: running, port } = await start();
    await untilStates(port, 'up');
    const checker = checkerPid(running);
    expect(isAlive(checker)).toBe(true);
    running.signal('SIGKILL');
    await untilTrue(() => !isAlive(checker));
    for (const pid of workerPids(running)) await untilTrue(() => !isAlive(pid));
  });

  test('with master_process off they are made all the same', async () => {
    const [a] = await startBackends('ab');
    const { port } = await start({ main: 'master_process off;' });
    await untilStates(port, 'up up');
    if (a !== undefined) a.health = 'ill';
    await untilStates(port, 'unhealthy up');
    expect(await met(port)).toBe('b');
  });

  test('without health_check there is no such process', async () => {
    await startBackends('a');
    const port = await freePort();
    proxy = await startProxy({ conf: confOf(port).replace(/health_check [^;]*;/, '') });
    expect((await get(port)).body).toBe('a');
    expect(proxy.errorLog()).not.toContain('health check');
  });
});
