import { describe, expect, test } from 'vitest';
import { socketCount } from '../support/process-facts.ts';
import { CLOSE, ECHO, HANG, KEEP, RESET, type Reply } from '../support/scripted-backend.ts';
import { OneBackend, statuses } from './one-backend.ts';

const UPGRADE = 'GET /ws HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const TUNNEL = 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;';

function start(script: Reply, more = ''): Promise<OneBackend> {
  return OneBackend.start(script, { location: TUNNEL + more });
}

/** Both sides' sockets are closed, the peer's count is back at 0. */
async function expectNothingLeft(site: OneBackend): Promise<void> {
  await expect.poll(() => site.backend.openConnections).toBe(0);
  expect(await site.activeAtPeer()).toBe(0);
  expect(site.proxy.errorLog()).not.toMatch(/\[(alert|crit|emerg)\]/);
}

describe('a tunnel', () => {
  test('carries bytes both ways, also those sent along with the request', async () => {
    const site = await start([SWITCH, ECHO]);
    const client = await site.connect();
    client.send(`${UPGRADE}early`);
    expect(await client.untilReceived('early')).toBe(true);
    client.send(' and late');
    expect(await client.untilReceived('early and late')).toBe(true);
    expect(statuses(client)).toEqual([101]);
  });

  test('bytes sent along with the 101 are not lost', async () => {
    const site = await start([`${SWITCH}hello`, ECHO]);
    const client = await site.connect();
    client.send(UPGRADE);
    expect(await client.untilReceived('hello')).toBe(true);
  });

  for (const [what, end] of [
    ['closes', CLOSE],
    ['resets', RESET],
  ] as const) {
    test(`whose peer ${what} before its 101: 502`, async () => {
      const site = await start([end]);
      const client = await site.ask(UPGRADE);
      expect(statuses(client)).toEqual([502]);
      await expectNothingLeft(site);
    });

    test(`whose peer ${what} right behind its 101: the client is closed`, async () => {
      const site = await start([SWITCH, end]);
      const client = await site.connect();
      client.send(UPGRADE);
      expect(await client.untilClosed()).not.toBe('open');
      client.close();
      await expectNothingLeft(site);
    });

    test(`whose peer ${what} behind some bytes: they arrive, then the client is closed`, async () => {
      const site = await start([SWITCH, 'x'.repeat(10_000), 'LAST', 20, end]);
      const client = await site.connect();
      client.send(UPGRADE);
      expect(await client.untilClosed()).not.toBe('open');
      expect(client.rest()).toHaveLength(10_004);
      client.close();
      await expectNothingLeft(site);
    });
  }

  test('whose peer refuses with 403: an ordinary answer, and the connection goes on', async () => {
    const site = await start(['HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno', KEEP]);
    const client = await site.ask(UPGRADE);
    client.send(UPGRADE);
    expect(await client.untilResponses(2)).toBe(true);
    expect(statuses(client)).toEqual([403, 403]);
  });

  test('whose peer says nothing: 504 after proxy_read_timeout', async () => {
    const site = await start([HANG], 'proxy_read_timeout 200ms;');
    expect(statuses(await site.ask(UPGRADE))).toEqual([504]);
    await expectNothingLeft(site);
  });

  for (const [what, go] of [
    ['leaves', 'leave'],
    ['resets', 'reset'],
  ] as const) {
    test(`whose client ${what} before the 101: the peer is let go, 499`, async () => {
      const site = await start([HANG]);
      const client = await site.connect();
      client.send(UPGRADE);
      expect(await site.backend.untilRequests(1)).toBe(true);
      client[go]();
      expect(await site.accessLines(1)).toEqual([expect.stringMatching(/^499 /)]);
      await expectNothingLeft(site);
    });

    test(`whose client ${what} in the middle: the peer is closed, 101 in the log`, async () => {
      const site = await start([SWITCH, ECHO]);
      const client = await site.connect();
      client.send(`${UPGRADE}ping`);
      expect(await client.untilReceived('ping')).toBe(true);
      client[go]();
      expect(await site.accessLines(1)).toEqual([expect.stringMatching(/^101 /)]);
      await expectNothingLeft(site);
    });

    test(`whose client ${what} while the peer is sending much: nothing is left`, async () => {
      const site = await start([SWITCH, 'x'.repeat(20 << 20), HANG]);
      const client = await site.connect();
      client.send(UPGRADE);
      expect(await client.untilReceived('xxx')).toBe(true);
      client[go]();
      expect(await site.accessLines(1)).toEqual([expect.stringMatching(/^101 /)]);
      await expectNothingLeft(site);
    });
  }

  test("a client's FIN goes on to the peer, whose answer still comes", async () => {
    const site = await start([SWITCH, ECHO]);
    const client = await site.connect();
    client.send(UPGRADE);
    expect(await client.untilReceived('\r\n\r\n')).toBe(true);
    client.send('last words');
    client.halfClose();
    expect(await client.untilReceived('last words')).toBe(true);
    expect(await client.untilClosed()).toBe('closed');
    await expectNothingLeft(site);
  });

  test('on which nothing moves ends after proxy_read_timeout', async () => {
    const site = await start([SWITCH, HANG], 'proxy_read_timeout 300ms;');
    const client = await site.connect();
    client.send(UPGRADE);
    expect(await client.untilClosed()).not.toBe('open');
    expect(client.received).toContain('101');
    await expectNothingLeft(site);
  });

  test('whose client does not read holds the peer back instead of filling memory', async () => {
    const site = await start([SWITCH, 'x'.repeat(100 << 20), HANG], 'proxy_read_timeout 500ms;');
    const client = await site.connect();
    client.socket.pause();
    client.send(UPGRADE);
    expect(await site.accessLines(1)).toEqual([expect.stringMatching(/^101 /)]);
    client.close();
    await expectNothingLeft(site);
    expect(socketCount(site.workerPid)).toBeGreaterThan(0);
  });
});
