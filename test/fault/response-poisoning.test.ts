import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { KEEP, type Reply, type Script } from '../support/scripted-backend.ts';
import { get, OneBackend, post, statuses } from './one-backend.ts';

const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON';

/** Answers the first request with `first` and never ends the connection by itself; later ones say their path. */
function poisonous(first: Reply): Script {
  return (request, nth) =>
    nth === 0
      ? [...(typeof first === 'string' ? [first] : first), KEEP]
      : `HTTP/1.1 200 OK\r\nContent-Length: ${request.target.length}\r\n\r\n${request.target}`;
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

const POISONS: Readonly<Record<string, Reply>> = {
  'in the same write': OK + POISON,
  'in a write of its own': [OK, POISON],
  'a moment later, on the idle connection': [OK, 30, POISON],
  'behind the last chunk': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', POISON],
  'behind the last chunk, in the same write': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${POISON}`,
  'behind an empty body': `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n${POISON}`,
  'behind a 204': `HTTP/1.1 204 No Content\r\n\r\n${POISON}`,
  'behind a 304': `HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n${POISON}`,
  'a single byte': [OK, '\n'],
};

describe('a second response behind the first never reaches the next client', () => {
  for (const buffering of ['on', 'off']) {
    for (const [how, first] of Object.entries(POISONS)) {
      test(`${how} (proxy_buffering ${buffering})`, async () => {
        const site = await OneBackend.start(poisonous(first), { location: `proxy_buffering ${buffering};` });
        const victim = await site.connect();
        const attacker = await site.ask(get('/first'));
        expect(attacker.received).not.toContain('POISON');
        // Bytes that come after the next request was sent can't be told from its answer, by nobody.
        if (typeof first !== 'string' && typeof first[1] === 'number') {
          await expect.poll(() => site.backend.openConnections).toBe(0);
        }
        victim.send(get('/second'));
        expect(await victim.untilResponses(1)).toBe(true);
        attacker.send(post('x', '/third'));
        expect(await attacker.untilResponses(2)).toBe(true);
        victim.send(get('/fourth'));
        expect(await victim.untilResponses(2)).toBe(true);
        expect(victim.responses().map((response) => response.body)).toEqual(['/second', '/fourth']);
        expect(attacker.responses()[1]?.body).toBe('/third');
        expect(attacker.received + victim.received).not.toContain('POISON');
      });
    }
  }

  test("behind a HEAD's answer that has a body", async () => {
    const site = await OneBackend.start(
      poisonous(`HTTP/1.1 200 OK\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`),
    );
    const client = await site.ask('HEAD /first HTTP/1.1\r\nHost: t\r\n\r\n');
    client.send(get('/second'));
    expect(await client.untilResponses(2)).toBe(true);
    expect(client.responses().map((response) => response.body)).toEqual(['', '/second']);
  });

  test('sent before anything was asked', async () => {
    const site = await OneBackend.start(poisonous(OK), { backend: { greeting: POISON } });
    // Nothing tells it from an answer on this first connection (nor does nginx); it is used for no other request.
    const client = await site.ask(get('/first'));
    client.send(get('/second'));
    expect(await client.untilResponses(2)).toBe(true);
    expect(site.backend.accepted).toBe(2);
    expect(statuses(client)).toEqual([200, 200]);
  });

  test("that arrives just before the next client's request, in the same turn of the event loop", async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        const target = bytes.toString('latin1').split(' ')[1] ?? '';
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const site = await OneBackend.start(OK, {
      peer: 'down',
      upstream: `server 127.0.0.1:${(server.address() as AddressInfo).port};`,
    });
    const client = await site.connect();
    for (let i = 0; i < 100; i++) {
      client.send(get(`/${i}`));
      expect(await client.untilResponses(i + 1)).toBe(true);
      sockets.at(-1)?.write(POISON);
    }
    expect(client.responses().map((response) => response.body)).toEqual(Array.from({ length: 100 }, (_, i) => `/${i}`));
  });

  test('more than Content-Length is cut off', async () => {
    const site = await OneBackend.start(poisonous('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more'));
    const client = await site.ask(get('/first'));
    client.send(get('/second'));
    expect(await client.untilResponses(2)).toBe(true);
    expect(client.responses().map((response) => response.body)).toEqual(['ok', '/second']);
    await expect
      .poll(() => site.proxy.errorLog())
      .toContain('upstream sent more data than specified in "Content-Length" header');
    expect(site.backend.accepted).toBe(2);
  });
});
