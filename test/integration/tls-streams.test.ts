import { createHash, randomBytes } from 'node:crypto';
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { residentBytes } from '../support/process-facts.ts';
import { RawClient } from '../support/raw-client.ts';
import { ECHO, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

const BIG = randomBytes(8 * 1024 * 1024);
const DIGEST = createHash('sha1').update(BIG).digest('hex');
const PAIR = makeCertificate('site');
const TLS = { cert: PAIR.cert, key: PAIR.key };

let proxy: RunningProxy;
let backend: Server;
let echo: ScriptedBackend;
let port = 0;

beforeAll(async () => {
  port = await freePort();
  backend = createServer(TLS, (req, res) => {
    if (req.url === '/down') return void res.end(BIG);
    const hash = createHash('sha1');
    req.on('data', (chunk) => hash.update(chunk));
    req.on('end', () => res.end(hash.digest('hex')));
  });
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  echo = await ScriptedBackend.start({
    script: ['HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n', ECHO],
    tls: TLS,
  });
  proxy = await startProxy({
    conf: `error_log error.log info;
events {}
http {
  access_log off;
  client_max_body_size 100m;
  upstream big { server 127.0.0.1:${(backend.address() as AddressInfo).port}; keepalive 4; }
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate c.pem;
    ssl_certificate_key c.key;
    location / { proxy_pass https://big; }
    location /unbuffered/ { proxy_pass https://big/; proxy_buffering off; proxy_request_buffering off; }
    location /echo { proxy_pass https://127.0.0.1:${echo.port}; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }
  }
}
`,
    files: { 'c.pem': PAIR.cert, 'c.key': PAIR.key },
  });
});

afterAll(async () => {
  await proxy.stop();
  await echo.stop();
  backend.closeAllConnections();
  await new Promise((resolve) => backend.close(resolve));
});

/** Digest of what came; `pauseMs` after each chunk. */
function download(path: string, pauseMs = 0): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { port, host: '127.0.0.1', path, rejectUnauthorized: false, agent: false },
      async (response) => {
        const hash = createHash('sha1');
        try {
          for await (const chunk of response) {
            hash.update(chunk);
            if (pauseMs > 0) await sleep(pauseMs);
          }
          resolve(hash.digest('hex'));
        } catch (error) {
          reject(error);
        }
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

function upload(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path, method: 'POST', rejectUnauthorized: false, agent: false };
    const asked = request(options, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    asked.on('error', reject);
    asked.end(BIG);
  });
}

test.each(['/down', '/unbuffered/down'])(
  '%s: a large answer comes whole, to quick clients and to slow ones',
  async (path) => {
    const digests = await Promise.all([download(path), download(path), download(path, 2)]);
    expect(digests).toEqual([DIGEST, DIGEST, DIGEST]);
  },
);

test.each(['/up', '/unbuffered/up'])('%s: a large body goes whole', async (path) => {
  expect(await Promise.all([upload(path), upload(path)])).toEqual([DIGEST, DIGEST]);
});

test('a client that does not read holds the peer back: memory stays', async () => {
  const worker = Number(/start worker process (\d+)/.exec(proxy.read('error.log'))?.[1] ?? proxy.pid);
  const clients = await Promise.all([1, 2, 3, 4].map(() => RawClient.connect({ port, tls: {} })));
  const before = residentBytes(worker);
  for (const client of clients) {
    client.socket.pause();
    client.send('GET /unbuffered/down HTTP/1.1\r\nHost: h\r\n\r\n');
  }
  await sleep(700);
  expect(residentBytes(worker) - before).toBeLessThan(40 * 1024 * 1024);
  for (const client of clients) client.close();
});

test('an upgraded connection, encrypted on both sides', async () => {
  const client = await RawClient.connect({ port, tls: {} });
  client.send('GET /echo HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
  expect(await client.untilReceived('101 Switching')).toBe(true);
  client.send('there and back');
  expect(await client.untilReceived('there and back')).toBe(true);
  client.send('x'.repeat(1_000_000));
  await expect.poll(() => client.rest().length, { timeout: 5000 }).toBe(1_000_014);
  client.halfClose();
  expect(await client.untilClosed()).toBe('closed');
});
