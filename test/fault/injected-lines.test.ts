import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { RawClient } from '../support/raw-client.ts';
import { reply, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

/**
 * `$uri`, captures and `$remote_user` are decoded: they may hold line ends, blanks and any other byte. nginx writes them as they are, so that
 * a client ends a field, a head, or a request to a peer, and begins its own.
 */
let backend: ScriptedBackend;
let proxy: RunningProxy;
let port = 0;

beforeAll(async () => {
  backend = await ScriptedBackend.start({ script: (request) => reply(request.target) });
  port = await freePort();
  const peer = `http://127.0.0.1:${backend.port}`;
  proxy = await startProxy({
    conf: `worker_processes 1; error_log error.log info; events {} http {
    access_log access.log;
    server {
        listen 127.0.0.1:${port};
        location /redirect { return 302 http://t$uri; }
        location /add { add_header X-Uri $uri; return 200 ok; }
        location ~ ^/capture/(?<rest>[^x]*)x { add_header X-Rest $rest always; return 404; }
        location /policy { add_header X-Policy "default-src 'self';
            img-src *"; return 200 ok; }
        location /set { proxy_pass ${peer}; proxy_set_header X-Uri $uri; proxy_set_header X-User $remote_user; }
        location /pass { proxy_pass ${peer}$uri; }
        location /args { proxy_pass ${peer}/here?path=$uri; }
        location /method { proxy_pass ${peer}; proxy_method $http_x_method; }
        location /host { proxy_pass ${peer}; proxy_set_header Host $uri; }
        location /cookie { proxy_pass ${peer}; proxy_set_header Cookie "path=$uri"; }
        location /log { root /tmp; access_log logs$uri.log; return 200 ok; }
    } }`,
  });
});
afterAll(async () => {
  await proxy.stop();
  await backend.stop();
});
beforeEach(() => backend.forget());

async function ask(path: string, fields = ''): Promise<RawClient> {
  const client = await RawClient.connect({ port });
  client.send(`GET ${path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n${fields}\r\n`);
  await client.untilClosed();
  client.close();
  return client;
}

const namesOf = (headers: readonly (readonly [string, string])[]): string[] => headers.map(([name]) => name);
const asked = () =>
  backend.requests.map(({ method, target, headers }) => ({ method, target, names: namesOf(headers) }));

describe('in a response', () => {
  for (const [what, line] of Object.entries({ 'CR LF': '%0d%0a', LF: '%0a', CR: '%0d', NUL: '%01' })) {
    test(`${what} in a redirect's target stays within the field`, async () => {
      const client = await ask(`/redirect${line}Set-Cookie:a=b${line}${line}body`);
      const [response, ...more] = client.responses();
      expect(more).toEqual([]);
      expect(namesOf(response?.headers ?? [])).not.toContain('Set-Cookie');
      expect(response?.headers.find(([name]) => name === 'Location')?.[1]).toMatch(
        /^http:\/\/t\/redirect {1,2}Set-Cookie:a=b {1,4}body$/,
      );
    });
  }

  test('in a field that add_header makes', async () => {
    const [response] = (await ask('/add%0d%0aSet-Cookie:a=b%0d%0a%0d%0abody')).responses();
    expect(response?.headers).toContainEqual(['X-Uri', '/add  Set-Cookie:a=b    body']);
    expect(response?.body).toBe('ok');
  });

  test('in a capture', async () => {
    const [response] = (await ask('/capture/a%0d%0aSet-Cookie:bx')).responses();
    expect(response?.headers).toContainEqual(['X-Rest', 'a  Set-Cookie:b']);
  });

  test('a value that the configuration writes on two lines is one line for the client', async () => {
    const [response] = (await ask('/policy')).responses();
    expect(response?.headers.find(([name]) => name === 'X-Policy')?.[1]).toMatch(/^default-src 'self'; +img-src \*$/);
  });
});

describe('in a request to a peer', () => {
  test('in a field that proxy_set_header makes', async () => {
    await ask('/set%0d%0aX-Admin:1%0d%0a%0d%0aGET%20/two%20HTTP/1.1%0d%0aX:');
    expect(asked()).toHaveLength(1);
    expect(asked()[0]?.names).not.toContain('X-Admin');
  });

  test('in a user name, which base64 hides', async () => {
    const credentials = Buffer.from('me\r\nX-Admin: 1:secret', 'latin1').toString('base64');
    await ask('/set', `Authorization: Basic ${credentials}\r\n`);
    expect(backend.requests[0]?.headers).toContainEqual(['X-User', 'me  X-Admin']);
  });

  test('in a Host and a Cookie', async () => {
    await ask('/host%0d%0aX-Admin:1');
    await ask('/cookie%0d%0aX-Admin:1');
    expect(asked()).toHaveLength(2);
    for (const { names } of asked()) expect(names).not.toContain('X-Admin');
  });

  test('in a target: one request, the bytes escaped as the client had them', async () => {
    await ask('/pass/a%20HTTP/1.1%0d%0aX-Admin:1%0d%0a%0d%0aGET%20/two%20HTTP/1.1%0d%0aX:y');
    expect(asked()).toMatchObject([
      { method: 'GET', target: '/pass/a%20HTTP/1.1%0D%0AX-Admin:1%0D%0A%0D%0AGET%20/two%20HTTP/1.1%0D%0AX:y' },
    ]);
    expect(asked()[0]?.names).not.toContain('X-Admin');
  });

  test('in the arguments of a target', async () => {
    await ask('/args/a%20b%0d%0ac');
    expect(asked()).toMatchObject([{ target: '/here?path=/args/a%20b%0D%0Ac' }]);
  });

  test('a method with blanks in it stays one word', async () => {
    await ask('/method', 'X-Method: GET /two HTTP/1.1\r\n');
    expect(asked()).toMatchObject([{ method: 'GET%20/two%20HTTP/1.1', target: '/method' }]);
  });

  test('a method that a variable leaves empty is that of the client', async () => {
    await ask('/method');
    expect(asked()).toMatchObject([{ method: 'GET', target: '/method' }]);
  });
});

test('in the error log: a line stays a line', async () => {
  await ask('/log/no-such/a%0d%0a2026/01/01%2000:00:00%20[alert]%201%231:%20forged%1b[2J');
  const lines = proxy.errorLog().split('\n');
  expect(lines.filter((line) => line.startsWith('2026/01/01 00:00:00'))).toEqual([]);
  expect(lines.some((line) => line.includes('\\x0d\\x0a2026/01/01') && line.includes('forged\\x1b[2J'))).toBe(true);
  expect(proxy.errorLog()).not.toMatch(/[\r\x1b]/);
});
