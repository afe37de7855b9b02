import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { RawClient } from '../support/raw-client.ts';
import { reply, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { get, isAlive, until, untilGone, untilLogged, workerPids } from './ask.ts';
import { oneServer } from './conf.ts';

let proxy: RunningProxy | undefined;
let backend: ScriptedBackend | undefined;
const clients: RawClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await proxy?.stop();
  await backend?.stop();
  proxy = backend = undefined;
});

async function connect(port: number): Promise<RawClient> {
  const client = await RawClient.connect({ port });
  clients.push(client);
  return client;
}

/** Polls until the address answers with this body. */
function untilServes(port: number, body: string): Promise<true> {
  return until(async () => ((await get(port).catch(() => null))?.body === body ? true : undefined));
}

const GET = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';

describe('HUP', () => {
  test('primary, workers and open connections stay; the next request is served by the new configuration', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port) });
    const before = workerPids(proxy);
    const client = await connect(port);
    client.send(GET);
    expect(await client.untilResponses(1)).toBe(true);
    proxy.rewriteConf(oneServer(port, 'return 200 "two";'));
    proxy.signal('SIGHUP');
    await untilServes(port, 'two');
    client.send(GET);
    expect(await client.untilResponses(2)).toBe(true);
    expect(client.responses().map((response) => response.body)).toEqual(['one', 'two']);
    expect(workerPids(proxy)).toEqual(before);
    expect(proxy.read('nginx.pid')).toBe(`${proxy.pid}\n`);
  });

  test('a request keeps the configuration that it began with', async () => {
    const port = await freePort();
    backend = await ScriptedBackend.start({ script: () => [300, reply('slow')] });
    const conf = oneServer(port, `proxy_pass http://127.0.0.1:${backend.port};`);
    proxy = await startProxy({ conf });
    const client = await connect(port);
    client.send(GET);
    expect(await backend.untilRequests(1)).toBe(true);
    proxy.rewriteConf(oneServer(port, 'return 200 "two";'));
    proxy.signal('SIGHUP');
    await untilServes(port, 'two');
    expect(await client.untilResponses(1)).toBe(true);
    expect(client.responses()[0]?.body).toBe('slow');
  });

  test('a bad configuration is logged, every finding of it, and the old one stays', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port) });
    proxy.rewriteConf(oneServer(port, 'return 200 "two"; bogus;', 'worker_processes x;'));
    proxy.signal('SIGHUP');
    expect(await untilLogged(proxy, /\[emerg\] \d+#\d+: unknown directive "bogus" in .*nginx\.conf:\d+\n/)).toBe(true);
    expect(proxy.errorLog()).toMatch(/\[emerg\] .*: "worker_processes" directive invalid value in .*nginx\.conf:3\n/);
    expect((await get(port)).body).toBe('one');
    expect(proxy.stderr).toBe('');
  });

  test('a finding in an included file comes with the way to it', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port), files: { 'sub/bad.conf': 'bogus;\n' } });
    proxy.rewriteConf(`include sub/*.conf;\n${oneServer(port, 'return 200 "two";')}`);
    proxy.signal('SIGHUP');
    const finding =
      /\[emerg\] .*: unknown directive "bogus" in .*sub\/bad\.conf:1\n.*\[emerg\] .*: included from .*nginx\.conf:2\n/;
    expect(await untilLogged(proxy, finding)).toBe(true);
    expect((await get(port)).body).toBe('one');
  });

  test.each([
    ['access log', (conf: string) => conf.replace('access_log off', 'access_log no/such.log'), 'no/such.log'],
    ['error log', (conf: string) => conf.replace('error_log error.log', 'error_log no/such.log'), 'no/such.log'],
    ['pid file', (conf: string) => `pid no/such.pid;\n${conf}`, 'no/such.pid'],
  ])('%s that cannot be opened: the old configuration stays, all of it', async (_what, change, path) => {
    const [port, comes] = [await freePort(), await freePort()];
    proxy = await startProxy({ conf: oneServer(port) });
    proxy.rewriteConf(change(oneServer(`127.0.0.1:${port}; listen 127.0.0.1:${comes}`, 'return 200 "two";')));
    proxy.signal('SIGHUP');
    const text = `open() "${proxy.prefix}/${path}" failed (2: No such file or directory)`;
    await until(async () => (proxy?.errorLog().includes(text) ? true : undefined));
    expect((await get(port)).body).toBe('one');
    await expect(get(comes)).rejects.toThrow('ECONNREFUSED');
    expect(proxy.read('nginx.pid')).toBe(`${proxy.pid}\n`);
    proxy.rewriteConf(oneServer(port, 'return 200 "three";'));
    proxy.signal('SIGHUP');
    await untilServes(port, 'three');
  });

  test('a new pid file goes again when the configuration is refused after all', async () => {
    const [port, taken] = [await freePort(), await freePort()];
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(taken, '127.0.0.1', resolve));
    proxy = await startProxy({ conf: oneServer(port) });
    proxy.rewriteConf(`pid b.pid;\n${oneServer(`127.0.0.1:${port}; listen 127.0.0.1:${taken}`)}`);
    proxy.signal('SIGHUP');
    expect(await untilLogged(proxy, /still could not bind\(\)/)).toBe(true);
    squatter.close();
    await until(async () => (existsSync(join(proxy?.prefix ?? '', 'b.pid')) ? undefined : true));
    expect(proxy.read('nginx.pid')).toBe(`${proxy.pid}\n`);
  });

  test('an address in use keeps the old configuration, all of it', async () => {
    const [port, taken] = [await freePort(), await freePort()];
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(taken, '127.0.0.1', resolve));
    proxy = await startProxy({ conf: oneServer(port) });
    proxy.rewriteConf(oneServer(`127.0.0.1:${port}; listen 127.0.0.1:${taken}`, 'return 200 "two";'));
    proxy.signal('SIGHUP');
    expect(await untilLogged(proxy, /still could not bind\(\)/)).toBe(true);
    squatter.close();
    expect((await get(port)).body).toBe('one');
    expect(proxy.errorLog().match(/bind\(\) to .* failed \(98: Address already in use\)/g)).toHaveLength(5);
  });

  test('new addresses open, removed ones close, the others never do', async () => {
    const [stays, goes, comes] = [await freePort(), await freePort(), await freePort()];
    const conf = (...ports: number[]): string => oneServer(ports.map((port) => `127.0.0.1:${port}`).join('; listen '));
    proxy = await startProxy({ conf: conf(stays, goes) });
    let failures = 0;
    let isOver = false;
    const hammer = (async () => {
      while (!isOver) if ((await get(stays).catch(() => null))?.status !== 200) failures++;
    })();
    proxy.rewriteConf(conf(stays, comes));
    proxy.signal('SIGHUP');
    await untilServes(comes, 'one');
    await until(async () => ((await get(goes).catch((error: Error) => error)) instanceof Error ? true : undefined));
    isOver = true;
    await hammer;
    expect(failures).toBe(0);
  });

  test('backlog: the open socket takes the new one', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(`127.0.0.1:${port} backlog=2`) });
    proxy.rewriteConf(oneServer(`127.0.0.1:${port} backlog=64`, 'return 200 "two";'));
    proxy.signal('SIGHUP');
    await untilServes(port, 'two');
    proxy.signal('SIGWINCH'); // no workers, open sockets
    await until(async () => (workerPids(proxy as RunningProxy).length === 0 ? true : undefined));
    const waiting = Array.from({ length: 12 }, () => connect(port));
    expect(await Promise.all(waiting)).toHaveLength(12);
  });

  test('reuseport that comes or goes waits for the next start, with a warning; the rest of the reload counts', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(`127.0.0.1:${port}`) });
    proxy.rewriteConf(oneServer(`127.0.0.1:${port} reuseport`, 'return 200 "two";'));
    proxy.signal('SIGHUP');
    await untilServes(port, 'two');
    const log = proxy.errorLog();
    expect(log).toContain(`[warn] ${proxy.pid}#${proxy.pid}: "reuseport" of 127.0.0.1:${port} begins with the next`);
    expect(log).not.toContain('[emerg]');
  });

  test('worker_processes: more are started, fewer are drained, and the log tells of each end', async () => {
    const port = await freePort();
    const conf = (count: number): string => oneServer(port, 'return 200 "$pid";', `worker_processes ${count};`);
    proxy = await startProxy({ conf: conf(1) });
    const [first] = workerPids(proxy);
    proxy.rewriteConf(conf(3));
    proxy.signal('SIGHUP');
    const { errorLog, signal } = { errorLog: () => proxy?.errorLog() ?? '', signal: () => proxy?.signal('SIGHUP') };
    await until(async () => ((errorLog().match(/start worker process \d+/g)?.length ?? 0) === 3 ? true : undefined));
    const three = workerPids(proxy);
    expect(three).toContain(first);
    proxy.rewriteConf(conf(1));
    signal();
    await until(async () => ((errorLog().match(/exited with code 0/g)?.length ?? 0) === 2 ? true : undefined));
    expect(workerPids(proxy)).toEqual([first]);
    for (const pid of three) expect(isAlive(pid)).toBe(pid === first);
    expect((await get(port)).body).toBe(String(first));
  });

  test('ten in a row end with the last one', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port) });
    for (let i = 0; i < 10; i++) {
      // Whole at every moment, for the reload that is under way may read it.
      const next = join(proxy.prefix, 'next.conf');
      writeFileSync(next, `pid nginx.pid;\n${oneServer(port, `return 200 "${i}";`)}`);
      renameSync(next, join(proxy.prefix, 'nginx.conf'));
      proxy.signal('SIGHUP');
    }
    await untilServes(port, '9');
    expect(proxy.errorLog()).not.toMatch(/\[(alert|emerg|crit)\]/);
  });

  test('another pid file and another error log: the pid file moves, the log goes on in the new file', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: `pid a.pid;\n${oneServer(port)}`.replace('pid a', 'pid nginx') });
    proxy.rewriteConf(`pid b.pid;\n${oneServer(port, 'return 200 "two";').replace('error.log', 'b.log')}`);
    proxy.signal('SIGHUP');
    expect(await untilGone(proxy.pidFile)).toBe(true);
    expect(proxy.read('b.pid')).toBe(`${proxy.pid}\n`);
    proxy.signal('SIGHUP');
    const read = (): string => proxy?.read('b.log') ?? '';
    await until(async () => (/reconfiguring/.test(read()) ? true : undefined));
    proxy.signal('SIGTERM');
    await proxy.exited;
    expect(existsSync(join(proxy.prefix, 'b.pid'))).toBe(false);
  });
});

describe('USR1', () => {
  test('reopens all logs; a rotation under load loses no line', async () => {
    const port = await freePort();
    proxy = await startProxy({
      conf: oneServer(port, 'return 200 ok;', 'worker_processes 2;').replace('access_log off', 'access_log access.log'),
    });
    const { prefix } = proxy;
    let asked = 0;
    let isOver = false;
    const hammer = (async () => {
      while (!isOver) {
        await get(port);
        asked++;
      }
    })();
    for (let i = 1; i <= 3; i++) {
      for (const log of ['access.log', 'error.log']) renameSync(join(prefix, log), join(prefix, `${log}.${i}`));
      proxy.signal('SIGUSR1');
      const exist = (): boolean => ['access.log', 'error.log'].every((log) => existsSync(join(prefix, log)));
      await until(async () => {
        await get(port);
        asked++;
        return exist() ? true : undefined;
      });
    }
    isOver = true;
    await hammer;
    proxy.signal('SIGQUIT');
    await proxy.exited;
    const lines = ['', '.1', '.2', '.3'].map((end) => readFileSync(join(prefix, `access.log${end}`), 'latin1'));
    expect(
      lines
        .join('')
        .split('\n')
        .filter((line) => line.includes('"GET / HTTP/1.1" 200')),
    ).toHaveLength(asked);
    expect(proxy.errorLog()).toContain('exited with code 0');
  });
});

describe('WINCH', () => {
  test('drains the workers; the primary keeps its sockets; HUP brings workers back', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port) });
    proxy.signal('SIGWINCH');
    expect(await untilLogged(proxy, /worker process \d+ exited with code 0/)).toBe(true);
    expect(workerPids(proxy)).toEqual([]);
    const waiting = get(port); // in the socket's queue
    proxy.signal('SIGHUP');
    expect(await waiting).toEqual({ status: 200, body: 'one' });
  });

  test('a response in flight finishes; QUIT without workers ends the primary', async () => {
    const port = await freePort();
    backend = await ScriptedBackend.start({ script: () => [300, reply('slow')] });
    proxy = await startProxy({ conf: oneServer(port, `proxy_pass http://127.0.0.1:${backend.port};`) });
    const client = await connect(port);
    client.send(GET);
    expect(await backend.untilRequests(1)).toBe(true);
    proxy.signal('SIGWINCH');
    expect(await client.untilResponses(1)).toBe(true);
    expect(client.responses()[0]?.body).toBe('slow');
    expect(await untilLogged(proxy, /worker process \d+ exited with code 0/)).toBe(true);
    expect(existsSync(proxy.pidFile)).toBe(true);
    proxy.signal('SIGQUIT');
    expect(await proxy.exited).toEqual({ code: 0, signal: null });
    expect(existsSync(proxy.pidFile)).toBe(false);
  });
});
