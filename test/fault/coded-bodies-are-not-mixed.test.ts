import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { untilLogged } from '../process/ask.ts';
import { freePort } from '../support/free-port.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

/** Streams of zlib, output buffers and exchanges are used again: nobody may get what was made for another. */

const ROUTES = ['gzip', 'gzip9', 'brotli', 'brotli9', 'gunzip', 'paced', 'patient'] as const;
const REQUESTS = 280;
const AT_ONCE = 28;

let peer: Server;
let proxy: RunningProxy;
let port = 0;

/** Text that no other request has. */
function textOf(id: number): string {
  return Array.from({ length: 20 + ((id * 7919) % 9000) }, (_, i) => `${id}:${i * 31}`).join(' ');
}

beforeAll(async () => {
  peer = createServer((asked, response) => {
    const [, route = '', id = ''] = (asked.url ?? '').split('/');
    response.on('error', () => undefined);
    if (id === 'broken') {
      response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Type': 'text/html' });
      response.end(`${gzipSync('begin').toString('latin1').slice(0, 12)} and then no gzip`.repeat(500));
      return;
    }
    const text = textOf(Number(id));
    const isPacked = route === 'gunzip' || route === 'patient';
    response.writeHead(200, { 'Content-Type': 'text/html', ...(isPacked ? { 'Content-Encoding': 'gzip' } : {}) });
    const body = isPacked ? gzipSync(text) : Buffer.from(text);
    // In pieces of several turns.
    let at = 0;
    const more = (): void => {
      response.write(body.subarray(at, at + 9001));
      at += 9001;
      if (at < body.length) setImmediate(more);
      else response.end();
    };
    more();
  });
  await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
  port = await freePort();
  const to = `proxy_pass http://127.0.0.1:${(peer.address() as AddressInfo).port};`;
  proxy = await startProxy({
    conf: `worker_processes 1; error_log error.log info; events {}
      http {
        access_log off;
        server {
          listen 127.0.0.1:${port};
          location /gzip/ { gzip on; ${to} }
          location /gzip9/ { gzip on; gzip_comp_level 9; ${to} }
          location /brotli/ { brotli on; ${to} }
          location /brotli9/ { brotli on; brotli_comp_level 9; ${to} }
          location /gunzip/ { gunzip on; ${to} }
          location /paced/ { gzip on; limit_rate 200k; ${to} }
          location /patient/ { gunzip on; proxy_ignore_client_abort on; ${to} }
        }
      }`,
  });
});

afterAll(async () => {
  await proxy.stop();
  peer.closeAllConnections();
  await new Promise((resolve) => peer.close(resolve));
});

/** What came, decoded; null: this client left in the middle. */
function ask(path: string, leaves = false): Promise<string | null> {
  const headers = path.startsWith('/gunzip') || path.startsWith('/patient') ? {} : { 'Accept-Encoding': 'gzip, br' };
  return new Promise((resolve, reject) => {
    const asking = request({ port, host: '127.0.0.1', path, agent: false, headers }, (response: IncomingMessage) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => {
        pieces.push(piece);
        if (leaves) {
          asking.destroy();
          resolve(null);
        }
      });
      response.on('error', reject);
      response.on('end', () => {
        if (leaves) return resolve(null);
        const bytes = Buffer.concat(pieces);
        const coding = response.headers['content-encoding'];
        const text = coding === 'br' ? brotliDecompressSync(bytes) : coding === 'gzip' ? gunzipSync(bytes) : bytes;
        resolve(text.toString());
      });
    });
    asking.on('error', (error) => (leaves ? resolve(null) : reject(error)));
    asking.end();
  });
}

test('each client gets its own, while others leave and peers send garbage', async () => {
  let next = 0;
  const wrong: string[] = [];
  const client = async (): Promise<void> => {
    while (next < REQUESTS) {
      const id = next++;
      const route = ROUTES[id % ROUTES.length] ?? 'gzip';
      if (id % 13 === 5) {
        await ask(`/${id % 2 === 0 ? 'gunzip' : 'patient'}/broken`).catch(() => null);
        continue;
      }
      const text = await ask(`/${route}/${id}`, id % 5 === 3);
      if (text !== null && text !== textOf(id)) wrong.push(`${route} ${id}: ${text.slice(0, 80)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  expect(wrong).toEqual([]);
  expect(await untilLogged(proxy, /\[error\] .* inflate\(\) failed: 0, -3 while sending to client/)).toBe(true);
  expect(proxy.errorLog()).not.toMatch(/\[(alert|crit|emerg)\]/);
});
