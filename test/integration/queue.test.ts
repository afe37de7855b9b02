import { afterEach, describe, expect, test } from 'vitest';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { RawClient } from '../support/raw-client.ts';
import { reply, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

let proxy: RunningProxy | undefined;
let backend: ScriptedBackend | undefined;
let clients: RawClient[] = [];

afterEach(async () => {
  for (const client of clients) client.close();
  clients = [];
  await proxy?.stop();
  await backend?.stop();
  [proxy, backend] = [undefined, undefined];
});

const SLOW_MS = 300;

async function start(upstream: string): Promise<number> {
  backend = await ScriptedBackend.start({ script: [SLOW_MS, reply('fine')] });
  const port = await freePort();
  proxy = await startProxy({
    conf: `error_log error.log info; events {}
http {
  access_log access.log;
  upstream u { server 127.0.0.1:${backend.port} max_conns=1; ${upstream} }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; } }
}`,
  });
  return port;
}

async function send(port: number): Promise<RawClient> {
  const client = await RawClient.connect({ port });
  clients.push(client);
  client.send('GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n');
  return client;
}

async function statusOfAnswer(client: RawClient): Promise<string> {
  await client.untilResponses(1);
  return client.responses()[0]?.startLine ?? '';
}

describe('queue', () => {
  test('requests beyond max_conns wait and are served one after the other; those beyond the queue get 502', async () => {
    const port = await start('queue 2;');
    const first = await send(port);
    expect(await backend?.untilRequests(1)).toBe(true);
    const others = await Promise.all([send(port), send(port), send(port)]);
    const statuses = await Promise.all(others.map(statusOfAnswer));
    expect(await statusOfAnswer(first)).toContain('200');
    expect(statuses.toSorted()).toEqual(['HTTP/1.1 200 OK', 'HTTP/1.1 200 OK', 'HTTP/1.1 502 Bad Gateway']);
    expect(proxy?.errorLog()).toContain('no live upstreams (the queue is full) while connecting to upstream');
    expect(backend?.requests.length).toBe(3);
  });

  test('whoever waits too long gets 502', async () => {
    const port = await start('queue 2 timeout=100ms;');
    await send(port);
    expect(await backend?.untilRequests(1)).toBe(true);
    expect(await statusOfAnswer(await send(port))).toBe('HTTP/1.1 502 Bad Gateway');
    expect(proxy?.errorLog()).toContain('no live upstreams (waited in the queue in vain) while connecting to upstream');
  });

  test('a client that leaves while it waits takes its place along', async () => {
    const port = await start('queue 1;');
    await send(port);
    expect(await backend?.untilRequests(1)).toBe(true);
    const leaves = await send(port);
    leaves.close();
    const hasLeft = (): true | undefined =>
      proxy?.errorLog().includes('client prematurely closed connection') || undefined;
    expect(await poll(hasLeft, 5000)).toBe(true);
    expect(await statusOfAnswer(await send(port))).toBe('HTTP/1.1 200 OK');
    expect(backend?.requests.length).toBe(2);
  });

  test('without it, 502 at once', async () => {
    const port = await start('');
    await send(port);
    expect(await backend?.untilRequests(1)).toBe(true);
    expect(await statusOfAnswer(await send(port))).toBe('HTTP/1.1 502 Bad Gateway');
  });
});
