import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { exchange, RawClient } from '../support/raw-client.ts';
import { KEEP, ScriptedBackend, type ScriptStep } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { siteConf, statuses } from './one-backend.ts';

/** What the upstream sends -> what the log says of it. All are answered 502, and the connection is not used again. */
const HEADS: Readonly<Record<string, readonly [sent: string, logged: RegExp]>> = {
  'no HTTP at all': ['hello there\r\n\r\n', /upstream sent no valid HTTP\/1\.0 header|invalid/],
  'HTTP/2 in its status line': ['HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nok', /upstream sent/],
  'a status that is no number': ['HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nok', /upstream sent/],
  'a NUL in its head': ['HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok', /upstream sent invalid header/],
  'a NUL in a name': ['HTTP/1.1 200 OK\r\nX\0Y: a\r\nContent-Length: 2\r\n\r\nok', /upstream sent invalid header/],
  'a bare CR in its head': ['HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 2\r\n\r\nok', /invalid header/],
  'a folded line': ['HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok', /upstream sent invalid header/],
  'a space before the colon': ['HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok', /upstream sent invalid header/],
  'a line without a colon': [
    'HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\nok',
    /upstream sent invalid header/,
  ],
  'two lengths': ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok', /Content-Length/],
  'a length with a sign': ['HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok', /Content-Length/],
  'a length and a coding': [
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    /Transfer-Encoding|Content-Length/,
  ],
  'an unknown coding': [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    /Transfer-Encoding/,
  ],
  'a head beyond proxy_buffer_size': [
    `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(5000)}\r\n\r\n`,
    /upstream sent too big header/,
  ],
  'a head that never ends': [`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(2000)}`, /upstream sent too big header/],
};

const BODIES: Readonly<Record<string, string>> = {
  'a chunk size that is none': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nxyz\r\n',
  'a chunk size beyond 2^53': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nffffffffffffffff\r\nx',
  'a chunk size with a sign': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n-2\r\nok\r\n0\r\n\r\n',
  'a chunk that is longer than it says': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n',
  'a bare LF behind a chunk size': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n2\nok\r\n0\r\n\r\n',
};

let backend: ScriptedBackend;
let proxy: RunningProxy;
let port = 0;
let script: readonly ScriptStep[] = [];

beforeAll(async () => {
  backend = await ScriptedBackend.start({ script: () => script });
  port = await freePort();
  proxy = await startProxy({
    conf: siteConf(port, `127.0.0.1:${backend.port} max_fails=0`, {
      location: 'proxy_buffer_size 4k; proxy_read_timeout 5s;',
    }),
  });
});
afterAll(async () => {
  await proxy.stop();
  await backend.stop();
});

async function logOf(act: () => Promise<void>): Promise<string> {
  const before = proxy.errorLog().length;
  await act();
  return proxy.errorLog().slice(before);
}

describe('an upstream that sends', () => {
  for (const [what, [sent, logged]] of Object.entries(HEADS)) {
    for (const split of ['at once', 'byte by byte']) {
      if (split === 'byte by byte' && sent.length > 200) continue;
      test(`${what} (${split}): 502, its connection closed`, async () => {
        backend.forget();
        script = [
          ...(split === 'at once' ? [sent] : [...sent].flatMap((byte, i) => (i % 8 === 7 ? [byte, 0] : [byte]))),
          KEEP,
        ];
        const log = await logOf(async () => {
          const client = await exchange({ port }, 'GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n');
          expect(statuses(client)).toEqual([502]);
          expect(client.received).not.toContain('Set-Cookie');
        });
        expect(log).toMatch(logged);
        expect(backend.requests).toHaveLength(1);
        await expect.poll(() => backend.openConnections).toBe(0);
      });
    }
  }

  for (const [what, sent] of Object.entries(BODIES)) {
    test(`${what}: the client's answer breaks off, nothing is made up`, async () => {
      backend.forget();
      script = [sent, KEEP];
      const log = await logOf(async () => {
        const client = await RawClient.connect({ port });
        client.send('GET / HTTP/1.1\r\nHost: t\r\n\r\n');
        expect(await client.untilClosed()).not.toBe('open');
        expect(client.responses()[0]?.isComplete ?? false).toBe(false);
        client.close();
      });
      expect(log).toContain('upstream sent invalid chunked response');
      await expect.poll(() => backend.openConnections).toBe(0);
    });
  }

  test('a thousand header lines within proxy_buffer_size: they are passed on', async () => {
    backend.forget();
    script = [`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${'X:\r\n'.repeat(1000)}\r\nok`];
    const client = await exchange({ port }, 'GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n');
    expect(statuses(client)).toEqual([200]);
    expect(client.responses()[0]?.body).toBe('ok');
  });

  test('fewer bytes than it promised: what came goes out, then the connection breaks off', async () => {
    backend.forget();
    script = ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort'];
    const log = await logOf(async () => {
      const client = await exchange({ port }, 'GET / HTTP/1.1\r\nHost: t\r\n\r\n');
      expect(client.responses()[0]).toMatchObject({ body: 'short', isComplete: false });
    });
    expect(log).toContain('upstream prematurely closed connection');
  });

  test('a 101 that nobody asked for: 502', async () => {
    backend.forget();
    script = ['HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', KEEP];
    const client = await exchange({ port }, 'GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n');
    expect(statuses(client)).toEqual([502]);
    await expect.poll(() => backend.openConnections).toBe(0);
  });
});
