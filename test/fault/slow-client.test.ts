import { expect, test } from 'vitest';
import { reply } from '../support/scripted-backend.ts';
import { OneBackend, post, statuses } from './one-backend.ts';

test('a head that never ends is closed after client_header_timeout, 408 in the log, though bytes keep coming', async () => {
  const site = await OneBackend.start(reply('ok'), { server: 'client_header_timeout 300ms;' });
  const client = await site.connect();
  client.send('GET / HTTP/1.1\r\nHost: t\r\n');
  const drip = setInterval(() => client.ending === 'open' && client.send('X-Drip: 1\r\n'), 20);
  const began = performance.now();
  expect(await client.untilClosed()).not.toBe('open');
  clearInterval(drip);
  expect(performance.now() - began).toBeLessThan(2000);
  expect(client.received).toBe('');
  expect(await site.accessLines(1)).toEqual([expect.stringMatching(/^408 /)]);
  await expect
    .poll(() => site.proxy.errorLog())
    .toContain('client timed out (110: Connection timed out) while reading client request headers');
  expect(site.backend.accepted).toBe(0);
});

test('a client that never says anything is closed after client_header_timeout, without a line in the log', async () => {
  const site = await OneBackend.start(reply('ok'), { server: 'client_header_timeout 200ms;' });
  const client = await site.connect();
  expect(await client.untilClosed()).toBe('closed');
  await site.ask(post('x'));
  expect(await site.accessLines(1)).toEqual([expect.stringMatching(/^200 POST/)]);
});

test('a body that stops: 408 after client_body_timeout, nothing reaches the peer', async () => {
  const site = await OneBackend.start(reply('ok'), { server: 'client_body_timeout 300ms;' });
  const client = await site.connect();
  client.send('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nhalf');
  expect(await client.untilClosed()).not.toBe('open');
  expect(await site.accessLines(1)).toEqual([expect.stringMatching(/^408 POST /)]);
  expect(site.backend.accepted).toBe(0);
});

test('a body that stops on its way through (proxy_request_buffering off): 408, and the peer is let go', async () => {
  const site = await OneBackend.start(reply('ok'), {
    server: 'client_body_timeout 300ms; proxy_request_buffering off;',
  });
  const client = await site.connect();
  client.send('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nhalf');
  expect(await client.untilClosed()).not.toBe('open');
  expect(await site.accessLines(1)).toEqual([expect.stringMatching(/^408 POST /)]);
  expect(await site.activeAtPeer()).toBe(0);
  expect(site.backend.requests.every((request) => !request.isComplete)).toBe(true);
});

test('a body that drips is served: the timeout is between two reads', async () => {
  const site = await OneBackend.start(reply('ok'), { server: 'client_body_timeout 400ms;' });
  const client = await site.connect();
  client.send('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 12\r\n\r\n');
  let sent = 0;
  await new Promise<void>((resolve) => {
    const drip = setInterval(() => {
      client.send('x');
      if (++sent < 12) return;
      clearInterval(drip);
      resolve();
    }, 60);
  });
  expect(await client.untilResponses(1)).toBe(true);
  expect(statuses(client)).toEqual([200]);
  expect(site.backend.requests[0]?.body).toBe('x'.repeat(12));
});
