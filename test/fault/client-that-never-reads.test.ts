import { existsSync, readdirSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { workerPids } from '../process/ask.ts';
import { freePort } from '../support/free-port.ts';
import { openFiles, residentBytes } from '../support/process-facts.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { connectTo, get, siteConf } from './one-backend.ts';

const MIB = 1 << 20;
const BODY_BYTES = 300 * MIB;
/** What a worker may grow by while the body goes through: buffers, and garbage that is not collected yet. */
const GROWTH_BYTES = 64 * MIB;

/** A peer that answers with a huge body as fast as it is taken. */
class HugePeer {
  sentBytes = 0;
  readonly sockets = new Set<Socket>();

  static async start(): Promise<{ peer: HugePeer; port: number }> {
    const peer = new HugePeer();
    const piece = Buffer.alloc(MIB, 'x');
    const server = createServer((socket) => {
      peer.sockets.add(socket);
      socket.on('close', () => peer.sockets.delete(socket));
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY_BYTES}\r\n\r\n`);
        let left = BODY_BYTES;
        const more = (): void => {
          while (left > 0) {
            left -= piece.length;
            peer.sentBytes += piece.length;
            if (!socket.write(piece)) return;
          }
        };
        socket.on('drain', more);
        more();
      });
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of peer.sockets) socket.destroy();
      server.close();
    });
    return { peer, port };
  }
}

async function start(location: string): Promise<{ proxy: RunningProxy; port: number; peer: HugePeer; worker: number }> {
  const { peer, port: peerPort } = await HugePeer.start();
  const port = await freePort();
  const proxy = await startProxy({ conf: siteConf(port, `127.0.0.1:${peerPort}`, { location }) });
  onTestFinished(async () => void (await proxy.stop()));
  return { proxy, port, peer, worker: workerPids(proxy)[0] ?? 0 };
}

/** Files below a directory of the prefix. */
function filesIn(proxy: RunningProxy, directory: string): string[] {
  const path = join(proxy.prefix, directory);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
}

describe('a client that never reads a huge answer', () => {
  for (const [what, directives] of [
    ['buffered in a temporary file', 'proxy_max_temp_file_size 64m;'],
    ['buffered in memory alone', 'proxy_max_temp_file_size 0;'],
    ['unbuffered', 'proxy_buffering off;'],
  ] as const) {
    test(`${what}: closed after send_timeout, memory bounded, nothing left behind`, async () => {
      const { proxy, port, peer, worker } = await start(`send_timeout 1s; proxy_temp_path temp; ${directives}`);
      const warm = await connectTo(port);
      warm.send('GET /lb_status HTTP/1.1\r\nHost: t\r\n\r\n');
      await warm.untilResponses(1);
      const filesBefore = openFiles(worker).sort();
      const before = residentBytes(worker);
      let most = before;
      const watch = setInterval(() => (most = Math.max(most, residentBytes(worker))), 10);
      const client = await connectTo(port);
      client.socket.pause();
      client.send(get('/huge'));
      await expect.poll(() => proxy.read('access.log'), { timeout: 10_000 }).toMatch(/^200 GET \/huge /);
      clearInterval(watch);
      await expect
        .poll(() => proxy.errorLog())
        .toMatch(/client timed out \(110: Connection timed out\) while sending to client.* upstream: /);
      expect(proxy.errorLog()).not.toContain('prematurely');
      expect(most - before).toBeLessThan(GROWTH_BYTES);
      expect(peer.sentBytes).toBeLessThan(BODY_BYTES);
      await expect.poll(() => peer.sockets.size).toBe(0);
      await expect.poll(() => openFiles(worker).sort(), { timeout: 500 }).toEqual(filesBefore);
      expect(filesIn(proxy, 'temp')).toEqual([]);
    });
  }
});

test('a client that reads slowly gets every byte, and the worker stays small', async () => {
  const { proxy, port, worker } = await start('proxy_temp_path temp; proxy_max_temp_file_size 32m;');
  const before = residentBytes(worker);
  let most = before;
  const client = await connectTo(port);
  client.socket.removeAllListeners('data');
  client.send(get('/huge'));
  let received = 0;
  let reads = 0;
  await new Promise<void>((resolve) => {
    client.socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received >= BODY_BYTES) return resolve();
      if (++reads % 32 !== 0) return;
      most = Math.max(most, residentBytes(worker));
      // Slower than the peer sends.
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 2);
    });
  });
  expect(most - before).toBeLessThan(GROWTH_BYTES);
  await expect
    .poll(() => proxy.read('access.log'))
    .toMatch(new RegExp(`^200 GET /huge upstream=200 bytes=${BODY_BYTES} OK`));
  await expect.poll(() => openFiles(worker).filter((file) => file.includes('/temp/'))).toEqual([]);
});
