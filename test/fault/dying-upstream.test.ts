import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { CLOSE, inTurn, RESET, type Reply, reply } from '../support/scripted-backend.ts';
import { get, OneBackend, post, statuses } from './one-backend.ts';

/** Both: the failing upstream first, then a sound one. */
async function withBackup(failing: Reply): Promise<OneBackend> {
  const sound = await OneBackend.start(reply('sound'));
  return OneBackend.start(failing, { upstream: `server 127.0.0.1:${sound.backend.port} backup;` });
}

const BEFORE_HEAD: Readonly<Record<string, Reply>> = {
  'resets before its head': [RESET],
  'closes before its head': [CLOSE],
  'resets within its head': ['HTTP/1.1 200 OK\r\nContent-Le', RESET],
  'closes within its head': ['HTTP/1.1 200 OK\r\nContent-Le', CLOSE],
  'closes after an interim response': ['HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', CLOSE],
};

describe('an upstream that', () => {
  for (const [what, script] of Object.entries(BEFORE_HEAD)) {
    test(`${what}: GET goes to the next peer, POST fails with 502`, async () => {
      const site = await withBackup(script);
      const client = await site.ask(get());
      expect(client.responses().at(-1)?.body).toBe('sound');
      const lone = await OneBackend.start(script);
      const poster = await lone.ask(post('x'));
      expect(statuses(poster).at(-1)).toBe(502);
      expect(lone.backend.requests).toHaveLength(1);
      expect(await lone.accessLines(1)).toEqual([expect.stringMatching(/^502 POST \/ upstream=502 /)]);
    });
  }

  for (const [what, end] of [
    ['resets', RESET],
    ['closes', CLOSE],
  ] as const) {
    test(`${what} after its head: not repeated; the client sees that something is missing`, async () => {
      const site = await withBackup(['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', 50, end]);
      const client = await site.connect();
      client.send(get() + get('/second'));
      expect(await client.untilClosed()).not.toBe('open');
      expect(client.responses()).toHaveLength(1);
      expect(client.responses()[0]).toMatchObject({ body: 'half', isComplete: false });
      expect(site.backend.requests).toHaveLength(1);
      expect(await site.activeAtPeer()).toBe(0);
    });

    test(`${what} within a chunked body: the last chunk never comes`, async () => {
      const site = await withBackup(['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', 50, end]);
      const client = await site.connect();
      client.send(get());
      expect(await client.untilClosed()).not.toBe('open');
      expect(client.responses()[0]).toMatchObject({ body: 'half', isComplete: false });
      expect(client.received).not.toMatch(/0\r\n\r\n$/);
    });
  }
});

describe('an idle connection that the upstream closes just as it is used', () => {
  const closesSecond = inTurn(reply('one'), [CLOSE], reply('fresh'));

  test('a GET is repeated on a fresh connection to the same peer, which is not to blame', async () => {
    const site = await OneBackend.start(closesSecond, {
      peer: 'max_fails=1 fail_timeout=60s',
      upstream: 'keepalive 8;',
    });
    const client = await site.ask(get());
    client.send(get());
    expect(await client.untilResponses(2)).toBe(true);
    expect(client.responses().map((response) => response.body)).toEqual(['one', 'fresh']);
    expect(site.backend.requests.map((request) => request.connection)).toEqual([1, 1, 2]);
    expect(site.proxy.errorLog()).not.toContain('temporarily disabled');
  });

  test('a POST that was sent is not: the peer may have acted on it', async () => {
    const site = await OneBackend.start(closesSecond);
    const client = await site.ask(get());
    client.send(post('x'));
    expect(await client.untilResponses(2)).toBe(true);
    expect(statuses(client)).toEqual([200, 502]);
    expect(site.backend.requests).toHaveLength(2);
  });

  test('one whose FIN came while it was idle is never used', async () => {
    const site = await OneBackend.start(inTurn([reply('one'), 1, CLOSE], reply('two')));
    const client = await site.ask(get());
    await expect.poll(() => site.backend.openConnections).toBe(0);
    client.send(post('x'));
    expect(await client.untilResponses(2)).toBe(true);
    expect(statuses(client)).toEqual([200, 200]);
  });
});

test('an upstream that is gone and comes back is used again after fail_timeout', async () => {
  const port = await freePort();
  const site = await OneBackend.start(reply('other'), {
    upstream: `server 127.0.0.1:${port} max_fails=1 fail_timeout=1s;`,
  });
  for (let i = 0; i < 4; i++) expect((await site.ask(get())).responses()[0]?.body).toBe('other');
  expect(site.proxy.errorLog().match(/connect\(\) failed \(111: Connection refused\)/g)).toHaveLength(1);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => void socket.write(reply('back')));
    onTestFinished(() => void socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  expect((server.address() as AddressInfo).port).toBe(port);
  onTestFinished(() => void server.close());
  await expect
    .poll(async () => (await site.ask(get())).responses()[0]?.body, { timeout: 4000, interval: 50 })
    .toBe('back');
});
