import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { HANG, reply } from '../support/scripted-backend.ts';
import { startProxy } from '../support/start-proxy.ts';
import { unacceptingPort } from '../support/unaccepting-port.ts';
import { connectTo, get, OneBackend, post, siteConf, statuses } from './one-backend.ts';

const TIMED_OUT = 'upstream timed out (110: Connection timed out) while';

test('an upstream that does not accept: 504 after proxy_connect_timeout', async () => {
  const hole = await unacceptingPort();
  onTestFinished(() => hole.stop());
  const port = await freePort();
  const proxy = await startProxy({
    conf: siteConf(port, `127.0.0.1:${hole.port}`, { location: 'proxy_connect_timeout 300ms;' }),
  });
  onTestFinished(async () => void (await proxy.stop()));
  const client = await connectTo(port);
  client.send(get());
  expect(await client.untilResponses(1)).toBe(true);
  expect(statuses(client)).toEqual([504]);
  await expect.poll(() => proxy.errorLog()).toContain(`${TIMED_OUT} connecting to upstream`);
});

test('an upstream that says nothing: 504 after proxy_read_timeout, its connection closed', async () => {
  const site = await OneBackend.start([HANG], { location: 'proxy_read_timeout 300ms;' });
  const client = await site.ask(get());
  expect(statuses(client)).toEqual([504]);
  await expect.poll(() => site.proxy.errorLog()).toContain(`${TIMED_OUT} reading response header from upstream`);
  expect(await site.activeAtPeer()).toBe(0);
  expect(site.backend.requests[0]?.wasAborted).toBe(true);
});

test('an upstream that falls silent within its body: what came is passed on, then the connection breaks off', async () => {
  const site = await OneBackend.start(['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', HANG], {
    location: 'proxy_read_timeout 300ms;',
  });
  const client = await site.connect();
  client.send(get());
  expect(await client.untilClosed()).not.toBe('open');
  expect(client.received).toMatch(/Content-Length: 100\r\n[\s\S]*\r\n\r\nhalf$/);
  await expect.poll(() => site.proxy.errorLog()).toContain(`${TIMED_OUT} reading upstream`);
  expect(await site.accessLines(1)).toEqual([expect.stringMatching(/^200 GET .* bytes=4 $/)]);
});

test('an upstream that reads nothing: 504 after proxy_send_timeout', async () => {
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
  });
  const peerPort = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  onTestFinished(() => void server.close());
  const port = await freePort();
  const proxy = await startProxy({
    conf: siteConf(port, `127.0.0.1:${peerPort}`, {
      location: 'proxy_send_timeout 300ms; client_max_body_size 0; client_body_buffer_size 16m;',
    }),
  });
  onTestFinished(async () => void (await proxy.stop()));
  const client = await connectTo(port);
  client.send(post('x'.repeat(12 << 20)));
  expect(await client.untilResponses(1, 10_000)).toBe(true);
  expect(statuses(client)).toEqual([504]);
  await expect.poll(() => proxy.errorLog()).toContain(`${TIMED_OUT} sending request to upstream`);
});

test('an upstream that drips is served: proxy_read_timeout is between two reads', async () => {
  const drip = ['HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n'].concat(Array.from({ length: 8 }, () => 'x'));
  const site = await OneBackend.start(
    drip.flatMap((step) => [100, step]),
    { location: 'proxy_read_timeout 500ms;' },
  );
  const client = await site.ask(get());
  expect(client.responses()[0]?.body).toBe('xxxxxxxx');
});

test('with another peer there, the silent one is tried once and the next one answers', async () => {
  const quick = await OneBackend.start(reply('quick'));
  const site = await OneBackend.start([HANG], {
    location: 'proxy_read_timeout 300ms;',
    upstream: `server 127.0.0.1:${quick.backend.port} backup;`,
  });
  const client = await site.ask(get());
  expect(client.responses()[0]?.body).toBe('quick');
  expect(await site.accessLines(1)).toEqual(['200 GET / upstream=504, 200 bytes=5 OK']);
});
