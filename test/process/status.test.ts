import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { statusOf } from '../support/http-message.ts';
import { exchange, RawClient } from '../support/raw-client.ts';
import { replyAndClose, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { get, until } from './ask.ts';
import { oneServer } from './conf.ts';

let proxy: RunningProxy | undefined;
const clients: RawClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await proxy?.stop();
  proxy = undefined;
});

const STATUS = (active: number, sum: number, requests: number, waiting: number): string =>
  `Active connections: ${active} \nserver accepts handled requests\n ${sum} ${sum} ${requests} \n` +
  `Reading: 0 Writing: 1 Waiting: ${waiting} \n`;

describe('stub_status', () => {
  test('sums over the workers', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port, 'stub_status;', 'worker_processes 3;') });
    for (let i = 0; i < 9; i++) {
      const client = await RawClient.connect({ port });
      clients.push(client);
      client.send('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
      expect(await client.untilResponses(1)).toBe(true);
    }
    expect((await get(port)).body).toBe(STATUS(10, 10, 10, 9));
    clients.pop()?.close();
    await until(async () => {
      const { body } = await get(port);
      return body.includes('Active connections: 9 ') ? true : undefined;
    });
  });

  test('answers GET and HEAD only', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port, 'stub_status;') });
    const post = 'POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx';
    const [refused] = (await exchange({ port }, post)).responses();
    expect(statusOf(refused?.startLine ?? '')).toBe(405);
    const head = await exchange({ port }, 'HEAD / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n');
    expect(head.responses()[0]).toMatchObject({ body: '', isComplete: true });
    expect(head.received).toMatch(/^Content-Type: text\/plain\r$/m);
  });

  test('$connections_… are the same sums', async () => {
    const port = await freePort();
    const body = '"$connections_active $connections_reading $connections_writing $connections_waiting"';
    proxy = await startProxy({ conf: oneServer(port, `return 200 ${body};`, 'worker_processes 2;') });
    for (let i = 0; i < 4; i++) {
      const client = await RawClient.connect({ port });
      clients.push(client);
      client.send('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
      expect(await client.untilResponses(1)).toBe(true);
    }
    await until(async () => ((await get(port)).body === '5 0 1 4' ? true : undefined));
  });
});

test('lb_status: answers and failures of all workers by peer, and which are out', async () => {
  const [port, gone] = [await freePort(), await freePort()];
  const backend = await ScriptedBackend.start({ script: replyAndClose('ok') });
  const main = 'worker_processes 2;';
  const conf = oneServer(port, 'proxy_pass http://group;', main)
    .replace('location /', 'location /lb_status { lb_status; }\n location /')
    .replace(
      'server {',
      `upstream group { zone z 64k; server 127.0.0.1:${backend.port}; server 127.0.0.1:${gone}; }\nserver {`,
    );
  proxy = await startProxy({ conf });
  for (let i = 0; i < 8; i++) expect((await get(port)).body).toBe('ok');
  const { status, body } = await get(port, '/lb_status');
  await backend.stop();
  expect(status).toBe(200);
  const document = JSON.parse(body);
  const [up, out] = document.upstreams.group.peers;
  expect(up).toMatchObject({ state: 'up', requests: 8, responses: { '2xx': 8 }, fails: 0, active: 0 });
  expect(out).toMatchObject({ state: 'unavail', responses: { '2xx': 0 } });
  expect(out.fails).toBeGreaterThan(0);
  expect(out.last_failure.text).toContain('111: Connection refused');
  expect(document.requests).toBe(9);
});
