import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { RawClient } from '../support/raw-client.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

const BODY_BYTES = 24 * 1024 * 1024;
const body = Buffer.alloc(BODY_BYTES);
for (let i = 0; i < BODY_BYTES; i += 4) body.writeUInt32LE((i * 2_654_435_761) >>> 0, i);
const digest = createHash('md5').update(body).digest('hex');

/** A peer that answers with the large body and knows when it is rid of it. */
class LargePeer {
  readonly server: Server;
  sentBytes = 0;
  finished = 0;
  aborted = 0;
  constructor() {
    this.server = createServer((socket) => this.#serve(socket));
  }

  #serve(socket: Socket): void {
    let isDone = false;
    let at = 0;
    const more = () => {
      while (at < BODY_BYTES) {
        const chunk = body.subarray(at, at + 65_536);
        at += chunk.length;
        this.sentBytes = at;
        if (!socket.write(chunk)) {
          socket.once('drain', more);
          return;
        }
      }
      isDone = true;
      this.finished++;
    };
    socket.on('error', () => undefined); // the tests break connections
    socket.on('close', () => {
      if (!isDone) this.aborted++;
    });
    socket.on('data', () => {
      at = 0;
      isDone = false;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY_BYTES}\r\n\r\n`);
      more();
    });
  }
}

const peer = new LargePeer();
let proxy: RunningProxy;
let port = 0;

beforeAll(async () => {
  port = await freePort();
  await new Promise<void>((resolve) => peer.server.listen(0, '127.0.0.1', resolve));
  const peerPort = (peer.server.address() as { port: number }).port;
  proxy = await startProxy({
    conf: `error_log error.log warn; events {}
      http {
        proxy_temp_path temp;
        server {
          listen 127.0.0.1:${port};
          location / { proxy_pass http://127.0.0.1:${peerPort}; }
          location /unbuffered { proxy_pass http://127.0.0.1:${peerPort}; proxy_buffering off; }
          location /small-file { proxy_pass http://127.0.0.1:${peerPort}; proxy_max_temp_file_size 1m; }
          location /no-file { proxy_pass http://127.0.0.1:${peerPort}; proxy_max_temp_file_size 0; }
          location /rated { proxy_pass http://127.0.0.1:${peerPort}; limit_rate 20m; }
        }
      }`,
  });
});
afterAll(async () => {
  await proxy.stop();
  peer.server.close();
});

/** Asks and does not read until told to. */
async function stalled(path: string): Promise<RawClient> {
  const client = await RawClient.connect({ port });
  client.socket.pause();
  client.send(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
  return client;
}

async function digestOf(client: RawClient): Promise<string> {
  client.socket.resume();
  await client.untilClosed(20_000);
  const { received } = client;
  return createHash('md5')
    .update(Buffer.from(received.slice(received.indexOf('\r\n\r\n') + 4), 'latin1'))
    .digest('hex');
}

describe('a client that does not read', () => {
  test('buffered: the peer is rid of its answer, the client gets all of it later, no file is left', async () => {
    const before = peer.finished;
    const client = await stalled('/');
    expect(await poll(() => (peer.finished > before ? true : undefined), 5000)).toBe(true);
    expect(proxy.errorLog()).toContain('an upstream response is buffered to a temporary file');
    expect(await digestOf(client)).toBe(digest);
    const left = readdirSync(join(proxy.prefix, 'temp'), { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => entry.isFile())).toEqual([]);
  });

  for (const path of ['/unbuffered', '/small-file', '/no-file']) {
    test(`${path}: the peer waits, the client gets all of it`, async () => {
      const before = peer.finished;
      const client = await stalled(path);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(peer.finished).toBe(before);
      expect(await digestOf(client)).toBe(digest);
      expect(peer.finished).toBe(before + 1);
    });
  }

  for (const path of ['/', '/unbuffered', '/no-file']) {
    test(`${path}: and goes away: so does the peer’s connection`, async () => {
      const { aborted, finished } = peer;
      const client = await stalled(path);
      await new Promise((resolve) => setTimeout(resolve, 50));
      client.reset();
      const isOver = () => (peer.aborted > aborted || peer.finished > finished ? true : undefined);
      expect(await poll(isOver, 5000)).toBe(true);
    });
  }
});

describe('clients that read', () => {
  test('limit_rate: at the rate that is said', async () => {
    const startedAt = Date.now();
    const client = await stalled('/rated');
    expect(await digestOf(client)).toBe(digest);
    const tookMs = Date.now() - startedAt;
    expect(tookMs).toBeGreaterThan(900);
  });

  test('many at once, some of them stalled for a while', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, (_, i) => stalled(i % 2 === 0 ? '/' : '/unbuffered')));
    const digests = await Promise.all(
      clients.map(async (client, i) => {
        await new Promise((resolve) => setTimeout(resolve, i * 20));
        return digestOf(client);
      }),
    );
    expect(new Set(digests)).toEqual(new Set([digest]));
  });
});
