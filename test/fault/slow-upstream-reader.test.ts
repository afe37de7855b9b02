import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { residentBytes } from '../support/process-facts.ts';
import { reply } from '../support/scripted-backend.ts';
import { OneBackend, statuses } from './one-backend.ts';

const MIB = 1 << 20;
const BODY_BYTES = 300 * MIB;
/** Buffers, and garbage that is not collected yet; the same for a body three times as large. */
const GROWTH_BYTES = 128 * MIB;

for (const buffering of ['on', 'off']) {
  test(`an upload faster than the upstream reads does not fill memory (proxy_request_buffering ${buffering})`, async () => {
    let received = 0;
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        received += bytes.length;
        if (received >= BODY_BYTES) socket.write(reply('got it'));
        // Slower than the client sends.
        socket.pause();
        setImmediate(() => socket.resume());
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const site = await OneBackend.start(reply('ok'), {
      peer: 'down',
      upstream: `server 127.0.0.1:${(server.address() as AddressInfo).port};`,
      server: `client_max_body_size 0; client_body_buffer_size 64k; proxy_request_buffering ${buffering};`,
    });
    const before = residentBytes(site.workerPid);
    let most = before;
    const client = await site.connect();
    client.send(`POST / HTTP/1.1\r\nHost: t\r\nContent-Length: ${BODY_BYTES}\r\n\r\n`);
    const piece = Buffer.alloc(MIB, 'x');
    for (let sent = 0; sent < BODY_BYTES; sent += piece.length) {
      if (!client.socket.write(piece)) await new Promise<void>((resolve) => client.socket.once('drain', resolve));
      most = Math.max(most, residentBytes(site.workerPid));
    }
    expect(await client.untilResponses(1, 30_000)).toBe(true);
    most = Math.max(most, residentBytes(site.workerPid));
    expect(statuses(client)).toEqual([200]);
    expect(received).toBeGreaterThanOrEqual(BODY_BYTES);
    expect(most - before).toBeLessThan(GROWTH_BYTES);
  });
}
