import { describe, expect, onTestFinished, test } from 'vitest';
import { get, untilLogged } from '../process/ask.ts';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { RawClient } from '../support/raw-client.ts';
import { HANG, reply, type Script, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

interface Site {
  readonly proxy: RunningProxy;
  readonly port: number;
  /** The server that is asked, or that gets the copies. */
  readonly other: ScriptedBackend;
  readonly main: ScriptedBackend;
}

async function start(script: Script, server: string): Promise<Site> {
  const port = await freePort();
  const main = await ScriptedBackend.start({ script: (seen) => reply(`${seen.target} ${seen.body.length}`) });
  const other = await ScriptedBackend.start({ script });
  onTestFinished(() => main.stop());
  onTestFinished(() => other.stop());
  const proxy = await startProxy({
    conf: `error_log error.log info;
worker_processes 1;
events {}
http {
    access_log access.log combined;
    upstream main { server 127.0.0.1:${main.port}; }
    upstream other { server 127.0.0.1:${other.port}; }
    server { listen 127.0.0.1:${port}; ${server} }
}
`,
  });
  onTestFinished(async () => void (await proxy.stop()));
  return { proxy, port, main, other };
}

const AUTH = 'location = /auth { internal; proxy_pass http://other; proxy_pass_request_body off; }';
const ASKED = `location / { auth_request /auth; proxy_pass http://main; } ${AUTH}`;
const COPIED =
  'location / { mirror /m; proxy_pass http://main; } location = /m { proxy_pass http://other$request_uri; }';

async function untilRequests(backend: ScriptedBackend, count: number): Promise<void> {
  expect(await backend.untilRequests(count)).toBe(true);
}

describe('auth_request', () => {
  test('connections to the server that is asked are used again', async () => {
    const { port, other } = await start(reply('yes'), ASKED);
    for (const path of ['/1', '/2', '/3']) expect((await get(port, path)).status).toBe(200);
    expect(other.requests.map((request) => request.connection)).toEqual([1, 1, 1]);
  });

  test('several challenges all go to the client', async () => {
    const challenges = 'WWW-Authenticate: Basic realm="a"\r\nWWW-Authenticate: Bearer\r\n';
    const { port } = await start(`HTTP/1.1 401 Who\r\nContent-Length: 0\r\n${challenges}\r\n`, ASKED);
    const client = await RawClient.connect({ port });
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.untilClosed(5000);
    const fields = client.responses()[0]?.headers.filter(([name]) => name.toLowerCase() === 'www-authenticate');
    expect(fields?.map(([, value]) => value)).toEqual(['Basic realm="a"', 'Bearer']);
  });

  test('an answer without end is waited for no longer than its head', async () => {
    const { port, other } = await start(['HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nyes', HANG], ASKED);
    expect((await get(port, '/x')).status).toBe(200);
    expect(await poll(() => (other.requests[0]?.wasAborted ? true : undefined), 5000)).toBe(true);
  });

  test('a length that is sent without its body is none', async () => {
    const { port, other } = await start(reply('yes'), ASKED);
    const client = await RawClient.connect({ port });
    client.send('POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello');
    await client.untilClosed(5000);
    expect(client.responses()[0]?.body).toBe('/x 5');
    expect(other.requests[0]?.headers.map(([name]) => name.toLowerCase())).not.toContain('content-length');
  });
});

describe('mirror', () => {
  test('connections to the server that gets copies are used again', async () => {
    const { port, other } = await start(reply('copied'), COPIED);
    for (const [index, path] of ['/1', '/2', '/3'].entries()) {
      await get(port, path);
      await untilRequests(other, index + 1);
      await poll(() => (other.openConnections > 0 ? true : undefined), 1000);
    }
    expect(other.requests.map((request) => request.target)).toEqual(['/1', '/2', '/3']);
  });

  test('a copy that is never answered keeps neither the answer nor the next request', async () => {
    const { port, other, main } = await start([HANG], COPIED);
    const client = await RawClient.connect({ port });
    for (const count of [1, 2, 3]) {
      client.send(`GET /${count} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await client.untilResponses(count, 5000);
    }
    client.close();
    expect(client.responses().map(({ body }) => body)).toEqual(['/1 0', '/2 0', '/3 0']);
    await untilRequests(other, 3);
    expect(main.requests).toHaveLength(3);
    // The client has left; its copies have not.
    expect(other.openConnections).toBe(3);
    expect(other.requests.some((request) => request.wasAborted)).toBe(false);
  });

  test('no more copies than mirror_max_running, which the log says', async () => {
    const { proxy, port, other, main } = await start([HANG], `mirror_max_running 2; ${COPIED}`);
    for (const path of ['/1', '/2', '/3']) expect((await get(port, path)).status).toBe(200);
    expect(await untilLogged(proxy, /\[warn\] .* mirror "\/m" is left out: 2 are running, client: /)).toBe(true);
    await untilRequests(other, 2);
    expect(main.requests).toHaveLength(3);
    expect(other.requests).toHaveLength(2);
  });

  test('the body of a copy outlives its request, in memory and in a file', async () => {
    const body = 'x'.repeat(300_000);
    const { port, other, main } = await start(
      (seen) => reply(String(seen.body.length)),
      `client_body_buffer_size 16k; ${COPIED}`,
    );
    for (const length of [10, 300_000]) {
      const client = await RawClient.connect({ port });
      const text = body.slice(0, length);
      client.send(`POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n${text}`);
      await client.untilClosed(5000);
      expect(client.responses()[0]?.body).toBe(`/x ${length}`);
    }
    await untilRequests(other, 2);
    expect(other.requests.map((request) => request.body === body.slice(0, request.body.length))).toEqual([true, true]);
    expect([...main.requests, ...other.requests].map((request) => request.body.length)).toEqual([
      10, 300_000, 10, 300_000,
    ]);
  });

  test('a worker that ends waits for its copies', async () => {
    const { proxy, port, other } = await start([300, reply('copied')], COPIED);
    expect((await get(port, '/x')).status).toBe(200);
    await untilRequests(other, 1);
    proxy.signal('SIGQUIT');
    await proxy.exited;
    expect(other.requests[0]?.wasAborted).toBe(false);
  });

  test('nothing is read of an answer beyond its head', async () => {
    const { port, other } = await start(['HTTP/1.1 200 OK\r\n\r\nendless', HANG], COPIED);
    expect((await get(port, '/x')).status).toBe(200);
    expect(await poll(() => (other.requests[0]?.wasAborted ? true : undefined), 5000)).toBe(true);
  });
});
