import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { RawClient } from '../support/raw-client.ts';
import { reply, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { siteConf, statuses } from './one-backend.ts';

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n';

let backend: ScriptedBackend;
let proxy: RunningProxy;
let port = 0;

beforeAll(async () => {
  backend = await ScriptedBackend.start({ script: (request) => reply(request.target) });
  port = await freePort();
  proxy = await startProxy({
    conf: siteConf(port, `127.0.0.1:${backend.port}`, { server: 'lingering_timeout 100ms;' }),
  });
});
afterAll(async () => {
  await proxy.stop();
  await backend.stop();
});
beforeEach(() => backend.forget());

async function send(bytes: string): Promise<RawClient> {
  const client = await RawClient.connect({ port });
  client.send(bytes);
  await client.untilClosed(1000);
  client.close();
  return client;
}

/** Each is refused with 400, the connection is closed behind it, and the peer hears nothing. */
const REFUSED: Readonly<Record<string, string>> = {
  'CL.TE': `POST / HTTP/1.1\r\nHost: t\r\nContent-Length: ${5 + SMUGGLED.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'TE.CL': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n29\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  'two lengths that differ': `POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  'two lengths that agree': `POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx${SMUGGLED}`,
  'a list of lengths': `POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 0, ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  'a length with a sign': `POST / HTTP/1.1\r\nHost: t\r\nContent-Length: +0\r\n\r\n${SMUGGLED}`,
  'a negative length': `POST / HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n${SMUGGLED}`,
  'a length in hexadecimal': `POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 0x10\r\n\r\n${SMUGGLED}`,
  'a length with a blank in it': `POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1 0\r\n\r\n${SMUGGLED}`,
  'a length beyond 2^64': `POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 18446744073709551616\r\n\r\n${SMUGGLED}`,
  'a length with a NUL': `POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 0\0\r\n\r\n${SMUGGLED}`,
  'a length with a vertical tab': `POST / HTTP/1.1\r\nHost: t\r\nContent-Length:\v0\r\n\r\n${SMUGGLED}`,
  'a blank before the colon of the length': `POST / HTTP/1.1\r\nHost: t\r\nContent-Length : 0\r\n\r\n${SMUGGLED}`,
  'a blank before the colon of the coding': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'a tab before the colon of the coding': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'an obs-folded coding': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'a folded first line': `POST / HTTP/1.1\r\n Host: t\r\nContent-Length: 0\r\n\r\n${SMUGGLED}`,
  'chunked twice': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'an empty coding': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding:\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'chunked with a bare CR behind it': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\rX: y\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'chunked with a vertical tab before it': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding:\vchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'chunked in HTTP/1.0': `POST / HTTP/1.0\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'a chunk size with 0x': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n${SMUGGLED}`,
  'a chunk size with a blank before it': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n 0\r\n\r\n${SMUGGLED}`,
  'a chunk size that wraps around at 2^64': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n${SMUGGLED}`,
  'a bare LF behind a chunk size': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n${SMUGGLED}`,
  'a bare LF behind a chunk': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n${SMUGGLED}`,
  'a bare CR behind a chunk size': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1\rx\r\n0\r\n\r\n${SMUGGLED}`,
  'a bare LF in a chunk extension': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n${SMUGGLED}`,
  'a bare CR that ends a line': `GET / HTTP/1.1\r\nHost: t\rX: y\r\n\r\n`,
  'a NUL in a name': 'GET / HTTP/1.1\r\nHost: t\r\nX\0: y\r\n\r\n',
  'an empty name': `GET / HTTP/1.1\r\nHost: t\r\n: y\r\n\r\n`,
  'two Host fields': 'GET / HTTP/1.1\r\nHost: t\r\nHost: evil\r\n\r\n',
  'no Host': 'GET / HTTP/1.1\r\n\r\n',
  'a Host that is none': 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n',
  'a Host that is none beside an absolute target': 'GET  http://t/ HTTP/1.1\r\nHost: a b\r\n\r\n',
  'a Host with a slash': 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n',
  'a blank in the target': 'GET /a b HTTP/1.1\r\nHost: t\r\n\r\n',
  'a NUL in the target': 'GET /a\0b HTTP/1.1\r\nHost: t\r\n\r\n',
  'a target above the root': 'GET /../x HTTP/1.1\r\nHost: t\r\n\r\n',
};

/** The same with 501, as nginx. */
const UNKNOWN_CODINGS: Readonly<Record<string, string>> = {
  xchunked: `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'chunked in quotes': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'chunked, identity': `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  identity: `POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${SMUGGLED}`,
};

describe('refused, and nothing reaches the peer', () => {
  for (const [what, bytes] of Object.entries(UNKNOWN_CODINGS)) {
    test(what, async () => {
      const client = await send(bytes);
      expect(statuses(client)).toEqual([501]);
      expect(client.ending).toBe('closed');
      expect(backend.requests.map((request) => request.target)).toEqual([]);
    });
  }

  for (const [what, bytes] of Object.entries(REFUSED)) {
    test(what, async () => {
      const client = await send(bytes);
      expect(statuses(client)).toEqual([400]);
      expect(client.ending).toBe('closed');
      expect(backend.requests.map((request) => request.target)).toEqual([]);
    });
  }

  test('all of them, byte by byte', async () => {
    for (const bytes of Object.values(REFUSED)) {
      const client = await RawClient.connect({ port });
      const lastByte = bytes.endsWith(SMUGGLED) ? bytes.length - SMUGGLED.length : bytes.length;
      for (const byte of bytes.slice(0, lastByte)) client.send(byte);
      client.send(bytes.slice(lastByte));
      // Refused in the middle, as nginx without lingering: what is still on its way may reset the connection.
      expect(await client.untilClosed()).not.toBe('open');
      if (client.ending === 'closed') expect(statuses(client)).toEqual([400]);
      client.close();
    }
    expect(backend.requests.map((request) => request.target)).toEqual([]);
  });
});

describe('understood one way only, and written anew for the peer', () => {
  const fieldsOf = (nth: number): string => (backend.requests[nth]?.headers ?? []).map(([name]) => name).join(' ');

  test('a second request inside a body stays a body', async () => {
    const client = await send(`POST /one HTTP/1.1\r\nHost: t\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`);
    expect(statuses(client)).toEqual([200]);
    expect(backend.requests).toMatchObject([{ target: '/one', body: SMUGGLED }]);
  });

  test('a chunked body reaches the peer with its length, extensions and trailers gone', async () => {
    await send(
      'POST /one HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nContent-Length: 99\r\nX-Trailer: y\r\n\r\n',
    );
    expect(backend.requests).toMatchObject([{ target: '/one', body: 'ok', framing: 'length' }]);
    expect(fieldsOf(0)).not.toMatch(/Transfer-Encoding|X-Trailer/i);
  });

  test('a GET with a body: the body is its own, the next request begins behind it', async () => {
    const client = await send(
      `GET /one HTTP/1.1\r\nHost: t\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}GET /two HTTP/1.1\r\nHost: t\r\n\r\n`,
    );
    expect(statuses(client)).toEqual([200, 200]);
    expect(backend.requests.map((request) => request.target)).toEqual(['/one', '/two']);
  });

  test('lines that end in a lone LF are lines; the peer gets CRLF', async () => {
    const client = await send('GET /one HTTP/1.1\nHost: t\nX-A: b\n\n');
    expect(statuses(client)).toEqual([200]);
    expect(backend.requests[0]?.headers).toContainEqual(['X-A', 'b']);
  });

  test('names that could be taken for others are dropped: underscores, dots, blanks', async () => {
    await send(
      'GET /one HTTP/1.1\r\nHost: t\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\nX.Forwarded.For: evil\r\nX-Good: 1\r\n\r\n',
    );
    expect(backend.requests).toHaveLength(1);
    expect(fieldsOf(0)).toMatch(/X-Good/);
    expect(fieldsOf(0)).not.toMatch(/_|\./);
  });

  test("hop-by-hop fields and what Connection names do not take the proxy's own fields away", async () => {
    await send(
      'GET /one HTTP/1.1\r\nHost: t\r\nConnection: close, Host, X-Real\r\nX-Real: 1\r\nTE: trailers\r\nUpgrade: h2c\r\nKeep-Alive: 9\r\n\r\n',
    );
    const names = fieldsOf(0);
    expect(names).toMatch(/Host/);
    expect(names).not.toMatch(/Keep-Alive|Upgrade/i);
    expect(backend.requests[0]?.headers.filter(([name]) => /^connection$/i.test(name))).not.toContainEqual([
      'Connection',
      'close, Host, X-Real',
    ]);
  });

  test('an absolute target wins over Host, and the peer gets one host', async () => {
    await send('GET http://t/one HTTP/1.1\r\nHost: evil\r\n\r\n');
    expect(backend.requests).toMatchObject([{ target: '/one' }]);
    expect(backend.requests[0]?.headers.filter(([name]) => /^host$/i.test(name))).toHaveLength(1);
    expect(backend.requests[0]?.headers.map(([, value]) => value)).not.toContain('evil');
  });

  test('pipelined: each is one request, what follows a refused one is dropped', async () => {
    const client = await send(
      `GET /one HTTP/1.1\r\nHost: t\r\n\r\nPOST /two HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabcGET /three HTTP/1.1\r\nHost : t\r\n\r\n${SMUGGLED}`,
    );
    expect(statuses(client)).toEqual([200, 200, 400]);
    expect(client.ending).toBe('closed');
    expect(backend.requests.map((request) => request.target)).toEqual(['/one', '/two']);
  });

  test('a body cut short by the client: what it sends later is no request', async () => {
    const client = await RawClient.connect({ port });
    client.send('POST /one HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n');
    client.send(SMUGGLED);
    client.halfClose();
    expect(await client.untilClosed()).not.toBe('open');
    client.close();
    expect(backend.requests).toHaveLength(0);
  });

  test('a hundred pipelined requests in one write are answered in order', async () => {
    const client = await RawClient.connect({ port });
    client.send(Array.from({ length: 100 }, (_, i) => `GET /${i} HTTP/1.1\r\nHost: t\r\n\r\n`).join(''));
    expect(await client.untilResponses(100)).toBe(true);
    expect(client.responses().map((response) => response.body)).toEqual(Array.from({ length: 100 }, (_, i) => `/${i}`));
    client.close();
  });
});

describe('too much of it', () => {
  test('ten thousand header lines: 400, the peer hears nothing', async () => {
    const client = await send(
      `GET / HTTP/1.1\r\nHost: t\r\n${Array.from({ length: 10_000 }, (_, i) => `X-${i}: ${i}\r\n`).join('')}\r\n`,
    );
    expect(statuses(client)).toEqual([400]);
    expect(backend.requests).toHaveLength(0);
  });

  test('a thousand that fit the buffers pass', async () => {
    const client = await RawClient.connect({ port });
    client.send(
      `GET / HTTP/1.1\r\nHost: t\r\n${Array.from({ length: 1000 }, (_, i) => `X-${i}: ${i}\r\n`).join('')}\r\n`,
    );
    expect(await client.untilResponses(1)).toBe(true);
    expect(statuses(client)).toEqual([200]);
    expect(backend.requests[0]?.headers.filter(([name]) => name.startsWith('X-'))).toHaveLength(1000);
    client.close();
  });

  test('a request line beyond its buffer: 414', async () => {
    expect(statuses(await send(`GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: t\r\n\r\n`))).toEqual([414]);
  });

  test('a field line beyond its buffer: 400', async () => {
    expect(statuses(await send(`GET / HTTP/1.1\r\nHost: t\r\nX: ${'x'.repeat(9000)}\r\n\r\n`))).toEqual([400]);
  });
});
