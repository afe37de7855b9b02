import { describe, expect, onTestFinished, test } from 'vitest';
import { workerPids } from '../process/ask.ts';
import { freePort } from '../support/free-port.ts';
import { EVENKEEL, type Program } from '../support/program.ts';
import type { RawClient } from '../support/raw-client.ts';
import { reply, type Script, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { connectTo, get, siteConf, statuses } from './one-backend.ts';

interface Site {
  readonly proxy: RunningProxy;
  readonly backend: ScriptedBackend;
  readonly port: number;
}

async function start(script: Script, limits: { files?: number; connections?: number }): Promise<Site> {
  const backend = await ScriptedBackend.start({ script });
  onTestFinished(() => backend.stop());
  const port = await freePort();
  const program: Program = {
    name: 'evenkeel',
    command: ['/bin/sh', '-c', `ulimit -n ${limits.files ?? 4096}; exec "$@"`, 'sh', ...EVENKEEL.command],
  };
  const conf = siteConf(port, `127.0.0.1:${backend.port}`);
  const proxy = await startProxy({
    conf: conf.replace('events {}', `events { worker_connections ${limits.connections ?? 4096}; }`),
    program,
  });
  onTestFinished(async () => void (await proxy.stop()));
  return { proxy, backend, port };
}

async function connectMany(port: number, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  for (let i = 0; i < count; i++) clients.push(await connectTo(port));
  return clients;
}

const isOpen = (client: RawClient): boolean => client.ending === 'open';

describe('more clients than worker_connections', () => {
  test('idle ones are closed, the longest idle first, and the newcomers served', async () => {
    const { port, proxy } = await start(reply('ok'), { connections: 32 });
    const clients: RawClient[] = [];
    for (let i = 0; i < 64; i++) {
      const client = await connectTo(port);
      client.send(get());
      expect(await client.untilResponses(1)).toBe(true);
      clients.push(client);
    }
    expect(clients.slice(0, 16).some(isOpen)).toBe(false);
    expect(clients.slice(-16).every(isOpen)).toBe(true);
    expect(clients.every((client) => client.ending !== 'reset')).toBe(true);
    await expect.poll(() => proxy.errorLog()).toContain('32 worker_connections are not enough, reusing connections');
    expect(proxy.errorLog()).not.toMatch(/\[alert\]/);
  });

  test('when all are busy the rest waits its turn, with one line in the log, and none is lost', async () => {
    const { port, proxy, backend } = await start([300, reply('ok')], { connections: 32 });
    const clients = await connectMany(port, 80);
    for (const client of clients) client.send(get());
    for (const client of clients) expect(await client.untilResponses(1, 10_000)).toBe(true);
    expect(new Set(clients.flatMap(statuses))).toEqual(new Set([200]));
    expect(backend.requests).toHaveLength(80);
    await expect.poll(() => proxy.errorLog()).toContain('32 worker_connections are not enough, accepting pauses');
    expect(proxy.errorLog().match(/accepting pauses/g)).toHaveLength(1);
  });

  test('a reload that raises it lets the waiting in; addresses that go and come meanwhile are right', async () => {
    const { port, proxy } = await start([10_000, reply('late')], { connections: 8 });
    for (const client of await connectMany(port, 8)) client.send(get('/busy'));
    const waiting = await connectTo(port);
    waiting.send('GET /lb_status HTTP/1.1\r\nHost: t\r\n\r\n');
    await expect.poll(() => proxy.errorLog()).toContain('accepting pauses');
    expect(waiting.received).toBe('');
    const second = await freePort();
    const conf = proxy.read('nginx.conf').replace('worker_connections 8;', 'worker_connections 64;');
    proxy.rewriteConf(conf.replace(/listen [^;]+;/, (line) => `${line} listen 127.0.0.1:${second};`));
    proxy.signal('SIGHUP');
    expect(await waiting.untilResponses(1)).toBe(true);
    const other = await connectTo(second);
    other.send('GET /lb_status HTTP/1.1\r\nHost: t\r\n\r\n');
    expect(await other.untilResponses(1)).toBe(true);
    expect(workerPids(proxy)).toHaveLength(1);
  });

  test('QUIT while accepting pauses ends it all the same', async () => {
    const { port, proxy, backend } = await start([500, reply('ok')], { connections: 8 });
    const clients = await connectMany(port, 8);
    for (const client of clients) client.send(get());
    expect(await backend.untilRequests(8)).toBe(true);
    await expect.poll(() => proxy.errorLog()).toContain('accepting pauses');
    proxy.signal('SIGQUIT');
    for (const client of clients) expect(await client.untilResponses(1)).toBe(true);
    expect((await proxy.exited).code).toBe(0);
  });
});

describe('out of file descriptors', () => {
  test('idle clients make room for new ones', async () => {
    const { port } = await start(reply('ok'), { files: 128 });
    const clients: RawClient[] = [];
    for (let i = 0; i < 150; i++) {
      const client = await connectTo(port);
      client.send(get());
      expect(await client.untilResponses(1)).toBe(true);
      clients.push(client);
    }
    expect(new Set(clients.flatMap(statuses))).toEqual(new Set([200]));
    expect(clients.some((client) => !isOpen(client))).toBe(true);
    expect(clients.slice(-16).every(isOpen)).toBe(true);
  });

  test('a connection to a peer that cannot be made: 500, and the peer is not to blame', async () => {
    const { port, proxy, backend } = await start([1500, reply('ok')], { files: 100 });
    const clients = await connectMany(port, 60);
    // More of them are in than there are descriptors left for their requests.
    await expect.poll(() => proxy.errorLog()).toContain('accepting pauses');
    for (const client of clients) client.send(get());
    await expect.poll(() => proxy.errorLog(), { timeout: 5000 }).toContain('socket() failed (24: Too many open files)');
    for (const client of clients) expect(await client.untilResponses(1, 10_000)).toBe(true);
    const all = clients.flatMap(statuses);
    expect(new Set(all)).toEqual(new Set([200, 500]));
    expect(all.filter((status) => status === 200)).toHaveLength(backend.requests.length);
    expect(proxy.errorLog()).not.toMatch(/temporarily disabled|no live upstreams/);
    for (const client of clients.slice(1)) client.close();
    const [first] = clients;
    first?.send('GET /lb_status HTTP/1.1\r\nHost: t\r\n\r\n');
    expect(await first?.untilResponses(2)).toBe(true);
    expect(first?.responses()[1]?.body).toContain('"fails": 0');
  });
});
