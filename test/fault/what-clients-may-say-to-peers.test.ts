import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { headerOf } from '../support/http-message.ts';
import { RawClient } from '../support/raw-client.ts';
import { byPath, ECHO, type Reply, reply, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { statuses } from './one-backend.ts';

const SWITCH: Reply = ['HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n', ECHO];
const TRAILERS =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Secret: 1\r\nX-Accel-Redirect: /a\r\nServer: p\r\nX-Sum: 7\r\n\r\n';

let backend: ScriptedBackend;
let proxy: RunningProxy;
let port = 0;

beforeAll(async () => {
  backend = await ScriptedBackend.start({
    script: byPath({
      '/passed/101': SWITCH,
      '/not-passed/101': SWITCH,
      '/fixed/101': SWITCH,
      '/trailers': TRAILERS,
      '/passed/x': (request) => reply(request.target),
      '/v1/x': (request) => reply(request.target),
    }),
  });
  port = await freePort();
  proxy = await startProxy({
    conf: `worker_processes 1; error_log error.log info; events {} http {
    access_log access.log;
    upstream u { server 127.0.0.1:${backend.port}; }
    server {
        listen 127.0.0.1:${port};
        location /passed/ {
            proxy_pass http://u;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header Connection $http_connection;
            proxy_set_header Upgrade $http_upgrade;
        }
        location /fixed/ { proxy_pass http://u; proxy_set_header Connection upgrade; proxy_set_header Upgrade $http_upgrade; }
        location /not-passed/ { proxy_pass http://u; }
        location /trailers { proxy_pass http://u; proxy_pass_trailers on; proxy_hide_header X-Secret; }
        location /api { proxy_pass http://u/v1/; }
        location /dot { proxy_pass http://u/v1/.; }
        location /args { proxy_pass http://u/v1/?path=; }
    } }`,
  });
});
afterAll(async () => {
  await proxy.stop();
  await backend.stop();
});
beforeEach(() => backend.forget());

async function ask(path: string, fields = '', more = ''): Promise<RawClient> {
  const client = await RawClient.connect({ port });
  client.send(`GET ${path} HTTP/1.1\r\nHost: t\r\n${fields}\r\n${more}`);
  await client.untilResponses(1);
  client.close();
  return client;
}

const told = (name: string) => headerOf(backend.requests[0]?.headers ?? [], name);

describe('a Connection field that is passed on names no other field', () => {
  for (const [said, passed] of Object.entries({
    'X-Real-IP': undefined,
    'close, X-Real-IP, Host': 'close',
    'keep-alive,x-real-ip': 'keep-alive',
    'Upgrade , X-Forwarded-For': 'Upgrade',
    close: 'close',
  })) {
    test(said, async () => {
      await ask('/passed/x', `Connection: ${said}\r\n`);
      expect(told('x-real-ip')).toBe('127.0.0.1');
      expect(told('connection')).toBe(passed);
    });
  }
});

describe('upgrades', () => {
  test('asked for and passed: a tunnel', async () => {
    const client = await ask('/passed/101', 'Connection: upgrade\r\nUpgrade: websocket\r\n', 'hello');
    expect(statuses(client)).toEqual([101]);
    expect(told('upgrade')).toBe('websocket');
  });

  for (const [what, upgrade, left] of [
    ['h2c', 'h2c', undefined],
    ['h2c in other letters', 'H2C', undefined],
    ['h2c beside another', 'h2c, websocket', 'websocket'],
  ] as const) {
    test(`${what} is not passed: requests in a tunnel would go past all that is configured`, async () => {
      await ask(
        '/fixed/101',
        `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${upgrade}\r\nHTTP2-Settings: AAMAAABk\r\n`,
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      );
      expect(told('upgrade')).toBe(left);
    });
  }

  test('101 from a peer that was not asked: 502, nothing goes through', async () => {
    for (const path of ['/not-passed/101', '/fixed/101']) {
      const client = await ask(path, 'Connection: upgrade\r\nUpgrade: h2c\r\n', 'tunnelled');
      expect(statuses(client)[0]).toBe(502);
      expect(client.received).not.toContain('tunnelled');
    }
  });
});

test('trailers: what is hidden in a head is hidden there too', async () => {
  const client = await ask('/trailers');
  expect(client.received).toContain('X-Sum: 7');
  expect(client.received).not.toMatch(/X-Secret|X-Accel|Server: p/);
});

describe('no path leads out of the one that proxy_pass gives', () => {
  for (const path of [
    '/api../secret',
    '/api..',
    '/api.',
    '/api./x',
    '/api%2e%2e/secret',
    '/api.%2e%2fsecret',
    '/dot./secret',
    '/dot.',
    '/dot/../api../x',
  ]) {
    test(path, async () => {
      expect(statuses(await ask(path))).toEqual([400]);
      expect(backend.requests).toEqual([]);
    });
  }

  test('dots that are a part of a name are one', async () => {
    for (const path of ['/api.x', '/api..x', '/api...', '/dotx/..y', '/args../x']) {
      backend.forget();
      await ask(path);
      expect(backend.requests).toHaveLength(1);
    }
  });

  test('what is escaped twice stays escaped once', async () => {
    await ask('/api/%252e%252e%252fsecret');
    expect(backend.requests[0]?.target).toBe('/v1//%252e%252e%252fsecret');
  });
});
