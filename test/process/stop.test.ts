import { existsSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { headerOf } from '../support/http-message.ts';
import { RawClient } from '../support/raw-client.ts';
import { HANG, reply, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { get, isAlive, untilGone, untilLogged, workerPids } from './ask.ts';
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

const GET = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';

describe('QUIT', () => {
  test('idle, keep-alive and still silent connections close at once; nobody can connect; exit 0, no pid file', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port) });
    const [silent, half, kept] = [await connect(port), await connect(port), await connect(port)];
    kept.send(GET);
    expect(await kept.untilResponses(1)).toBe(true);
    half.send('GET / HT');
    await get(port); // the others have been accepted by now
    proxy.signal('SIGQUIT');
    expect(await kept.untilClosed()).not.toBe('open');
    expect(await silent.untilClosed()).not.toBe('open');
    half.close();
    expect(await proxy.exited).toEqual({ code: 0, signal: null });
    await expect(get(port)).rejects.toThrow('ECONNREFUSED');
    expect(existsSync(proxy.pidFile)).toBe(false);
    expect(proxy.errorLog()).toMatch(/\[notice\] \d+#\d+: worker process \d+ exited with code 0\n/);
  });

  test('a response in flight finishes, says Connection: close, and its log line is written', async () => {
    const port = await freePort();
    let answer: (() => void) | undefined;
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    backend = await ScriptedBackend.start({
      script: () => {
        answer?.();
        return [400, reply('done')];
      },
    });
    proxy = await startProxy({
      conf: oneServer(port, `proxy_pass http://127.0.0.1:${backend.port};`).replace(
        'access_log off',
        'access_log access.log combined buffer=64k',
      ),
    });
    const client = await connect(port);
    client.send(GET);
    await asked;
    proxy.signal('SIGQUIT');
    expect(await client.untilResponses(1)).toBe(true);
    const [response] = client.responses();
    expect(response?.body).toBe('done');
    expect(headerOf(response?.headers ?? [], 'connection')).toBe('close');
    expect(await client.untilClosed()).toBe('closed');
    expect((await proxy.exited).code).toBe(0);
    expect(proxy.read('access.log')).toMatch(/"GET \/ HTTP\/1\.1" 200 4 /);
  });

  test('the pid file stays as long as a response is in flight', async () => {
    const port = await freePort();
    backend = await ScriptedBackend.start({ script: [HANG] });
    proxy = await startProxy({ conf: oneServer(port, `proxy_pass http://127.0.0.1:${backend.port};`) });
    const client = await connect(port);
    client.send(GET);
    expect(await backend.untilRequests(1)).toBe(true);
    proxy.signal('SIGQUIT');
    expect(await untilLogged(proxy, /gracefully shutting down/)).toBe(true);
    await expect(get(port)).rejects.toThrow('ECONNREFUSED');
    expect(existsSync(proxy.pidFile)).toBe(true);
    client.close();
    expect((await proxy.exited).code).toBe(0);
    expect(existsSync(proxy.pidFile)).toBe(false);
  });

  test('worker_shutdown_timeout bounds it', async () => {
    const port = await freePort();
    backend = await ScriptedBackend.start({ script: [HANG] });
    proxy = await startProxy({
      conf: oneServer(port, `proxy_pass http://127.0.0.1:${backend.port};`, 'worker_shutdown_timeout 300ms;'),
    });
    const client = await connect(port);
    client.send(GET);
    expect(await backend.untilRequests(1)).toBe(true);
    const began = performance.now();
    proxy.signal('SIGQUIT');
    expect((await proxy.exited).code).toBe(0);
    expect(performance.now() - began).toBeGreaterThan(290);
    expect(await client.untilClosed()).not.toBe('open');
  });

  test('TERM after it ends the waiting', async () => {
    const port = await freePort();
    backend = await ScriptedBackend.start({ script: [HANG] });
    proxy = await startProxy({ conf: oneServer(port, `proxy_pass http://127.0.0.1:${backend.port};`) });
    const client = await connect(port);
    client.send(GET);
    expect(await backend.untilRequests(1)).toBe(true);
    proxy.signal('SIGQUIT');
    expect(await untilLogged(proxy, /gracefully shutting down/)).toBe(true);
    proxy.signal('SIGTERM');
    expect((await proxy.exited).code).toBe(0);
  });
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends it at once, with a request in flight`, async () => {
    const port = await freePort();
    backend = await ScriptedBackend.start({ script: [HANG] });
    proxy = await startProxy({ conf: oneServer(port, `proxy_pass http://127.0.0.1:${backend.port};`) });
    const [worker = 0] = workerPids(proxy);
    const client = await connect(port);
    client.send(GET);
    expect(await backend.untilRequests(1)).toBe(true);
    proxy.signal(signal);
    expect((await proxy.exited).code).toBe(0);
    expect(await client.untilClosed()).not.toBe('open');
    expect(isAlive(worker)).toBe(false);
    expect(existsSync(proxy.pidFile)).toBe(false);
    expect(proxy.errorLog()).not.toContain('[alert]');
  });
}

for (const signal of ['SIGTERM', 'SIGQUIT'] as const) {
  test(`${signal}: buffered lines are in the log when it has ended, and so is the end of every worker`, async () => {
    const port = await freePort();
    const conf = oneServer(port, 'return 200 ok;', 'worker_processes 3;');
    proxy = await startProxy({ conf: conf.replace('access_log off', 'access_log access.log combined buffer=64k') });
    const workers = workerPids(proxy);
    for (let i = 0; i < 12; i++) await get(port);
    expect(proxy.read('access.log')).toBe('');
    proxy.signal(signal);
    await proxy.exited;
    expect(proxy.read('access.log').match(/"GET \/ HTTP\/1\.1" 200 /g)).toHaveLength(12);
    for (const pid of workers) expect(proxy.errorLog()).toContain(`worker process ${pid} exited with code 0\n`);
  });
}

test('workers whose primary was killed finish and leave', async () => {
  const port = await freePort();
  proxy = await startProxy({ conf: oneServer(port) });
  const [worker = 0] = workerPids(proxy);
  proxy.signal('SIGKILL');
  await proxy.exited;
  expect(await untilGone(`/proc/${worker}`)).toBe(true);
});
