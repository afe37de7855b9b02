import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { openFiles } from '../support/process-facts.ts';
import type { RawClient } from '../support/raw-client.ts';
import { HANG, type Reply, reply } from '../support/scripted-backend.ts';
import { startProxy } from '../support/start-proxy.ts';
import { unacceptingPort } from '../support/unaccepting-port.ts';
import { connectTo, get, OneBackend, siteConf, statuses } from './one-backend.ts';

const ROUNDS = 5;
const WAYS: Readonly<Record<string, (client: RawClient) => void>> = {
  FIN: (client) => client.leave(),
  RST: (client) => client.reset(),
};

interface AbortStage {
  readonly script: Reply;
  readonly location?: string;
  readonly request: string;
  /** Resolves when the client is to go. */
  readonly until: (site: OneBackend, client: RawClient, round: number) => Promise<unknown>;
  readonly logged: RegExp;
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n';
const STAGES: Readonly<Record<string, AbortStage>> = {
  'once its request was sent on': {
    script: [HANG],
    request: get('/gone'),
    until: (site, _client, round) => site.backend.untilRequests(round + 1),
    logged: /^499 GET \/gone upstream=- bytes=0 $/,
  },
  'with the head of its answer': {
    script: [HEAD, HANG],
    request: get('/gone'),
    until: (_site, client) => client.untilReceived('\r\n\r\n'),
    logged: /^200 GET \/gone upstream=200 bytes=0 $/,
  },
  'in the middle of its answer': {
    script: [HEAD, 'x'.repeat(1000), HANG],
    request: get('/gone'),
    until: (_site, client) => client.untilReceived('xxx'),
    logged: /^200 GET \/gone upstream=200 bytes=\d+ $/,
  },
  'in the middle of an unbuffered answer': {
    script: [HEAD, 'x'.repeat(1000), HANG],
    location: 'proxy_buffering off;',
    request: get('/gone'),
    until: (_site, client) => client.untilReceived('xxx'),
    logged: /^200 GET \/gone upstream=200 bytes=\d+ $/,
  },
  'in the middle of its own body': {
    script: reply('ok'),
    request: 'POST /gone HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nhalf',
    until: (site) => site.accessLines(0),
    logged: /^400 POST \/gone upstream=- bytes=0 $/,
  },
  'in the middle of its own body, which streams': {
    script: reply('ok'),
    location: 'proxy_request_buffering off;',
    request: 'POST /gone HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nhalf',
    until: (site, _client, round) => expect.poll(() => site.backend.accepted).toBe(round + 1),
    logged: /^400 POST \/gone upstream=- bytes=0 $/,
  },
};

describe('a client that goes away', () => {
  for (const [way, go] of Object.entries(WAYS)) {
    for (const [name, stage] of Object.entries(STAGES)) {
      test(`${name}, by ${way}: the attempt is aborted, the log says so, nothing leaks`, async () => {
        const site = await OneBackend.start(stage.script, { location: stage.location ?? '' });
        const filesBefore = openFiles(site.workerPid).sort();
        for (let round = 0; round < ROUNDS; round++) {
          const client = await site.connect();
          client.send(stage.request);
          await stage.until(site, client, round);
          go(client);
          const lines = await site.accessLines(round + 1);
          expect(lines).toHaveLength(round + 1);
          expect(lines[round]).toMatch(stage.logged);
        }
        await expect.poll(() => site.backend.openConnections).toBe(0);
        expect(await site.activeAtPeer()).toBe(0);
        await expect.poll(() => openFiles(site.workerPid).sort()).toEqual(filesBefore);
        expect(site.proxy.errorLog()).not.toMatch(/\[(alert|crit|emerg)\]/);
      });
    }

    test(`while connecting, by ${way}: connecting is given up`, async () => {
      const hole = await unacceptingPort();
      onTestFinished(() => hole.stop());
      const port = await freePort();
      const proxy = await startProxy({ conf: siteConf(port, `127.0.0.1:${hole.port}`, {}) });
      onTestFinished(async () => void (await proxy.stop()));
      const client = await connectTo(port);
      client.send(get('/gone'));
      // Nothing tells from outside that connecting has begun but the answer to another connection that was made after it.
      const second = await connectTo(port);
      second.send('GET /lb_status HTTP/1.1\r\nHost: t\r\n\r\n');
      expect(await second.untilResponses(1)).toBe(true);
      expect(second.responses()[0]?.body).toContain('"active": 1,\n          "requests": 1');
      go(client);
      await expect.poll(() => proxy.read('access.log')).toMatch(/^499 GET \/gone upstream=- bytes=0 \n$/);
      second.send('GET /lb_status HTTP/1.1\r\nHost: t\r\n\r\n');
      expect(await second.untilResponses(2)).toBe(true);
      expect(second.responses()[1]?.body).toContain('"active": 0,\n          "requests": 1');
    });
  }

  test('proxy_ignore_client_abort on: the attempt goes to its end', async () => {
    const site = await OneBackend.start([100, reply('done')], { location: 'proxy_ignore_client_abort on;' });
    const client = await site.connect();
    client.send(get('/gone'));
    expect(await site.backend.untilRequests(1)).toBe(true);
    client.leave();
    expect(await site.accessLines(1)).toEqual([expect.stringMatching(/ upstream=200 /)]);
    expect(site.backend.requests[0]?.wasAborted).toBe(false);
  });

  test('its pipelined second request is never sent on', async () => {
    const site = await OneBackend.start([HANG]);
    const client = await site.connect();
    client.send(get('/first') + get('/second'));
    expect(await site.backend.untilRequests(1)).toBe(true);
    client.reset();
    await site.accessLines(1);
    const other = await site.connect();
    other.send('GET /lb_status HTTP/1.1\r\nHost: t\r\n\r\n');
    expect(await other.untilResponses(1)).toBe(true);
    expect(site.backend.requests.map((request) => request.target)).toEqual(['/first']);
    expect(statuses(other)).toEqual([200]);
  });
});
