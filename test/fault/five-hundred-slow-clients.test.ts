import { readdirSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openFiles, residentBytes } from '../support/process-facts.ts';
import { get, OneBackend } from './one-backend.ts';

const MIB = 1 << 20;
const BODY = Buffer.alloc(8 * MIB, 'x');
const HEAD = `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n`;
const CLIENTS = 500;
/** What a client that has stopped reading may hold: a read taken over from the peer, the output buffer, `proxy_buffers`, the socket's own. */
const MOST_BYTES_EACH = 320 * 1024;

/** Answers everybody out of one buffer: this process is not the one that is measured. */
async function startPeer(): Promise<{ readonly port: number; requests(): number }> {
  let requests = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined); // given up by the proxy, as it should
    socket.on('data', () => {
      requests++;
      socket.write(HEAD);
      socket.write(BODY);
    });
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, requests: () => requests };
}

test('five hundred clients that stop reading large answers hold a bounded share of memory each, and give it back', async () => {
  const peer = await startPeer();
  const site = await OneBackend.start('', {
    main: 'worker_rlimit_nofile 4096;',
    http: 'proxy_temp_path temp;',
    server: `location /large { proxy_pass http://127.0.0.1:${peer.port}; proxy_max_temp_file_size 64k; }`,
  });
  const { workerPid } = site;
  const before = residentBytes(workerPid);
  const clients = [];
  for (let i = 0; i < CLIENTS; i++) {
    const client = await site.connect();
    client.socket.pause();
    client.send(get('/large'));
    clients.push(client);
  }
  await expect.poll(() => peer.requests(), { timeout: 30_000 }).toBe(CLIENTS);
  await expect
    .poll(() => openFiles(workerPid).filter((file) => file.includes('/temp/')).length, { timeout: 20_000 })
    .toBeGreaterThan(CLIENTS / 2);
  if (process.env['EVENKEEL_SHOW'] === '1') console.log((residentBytes(workerPid) - before) / CLIENTS);
  expect(residentBytes(workerPid) - before).toBeLessThan(CLIENTS * MOST_BYTES_EACH);
  // The temporary files have no names.
  expect(
    readdirSync(join(site.proxy.prefix, 'temp'), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    ),
  ).toEqual([]);

  for (const client of clients) client.reset();
  expect(await site.socketsAtMost(40, 20_000)).toBeLessThanOrEqual(40);
  await expect
    .poll(() => openFiles(workerPid).filter((file) => file.includes('/temp/')), { timeout: 20_000 })
    .toEqual([]);
  expect(site.proxy.errorLog()).not.toMatch(/\[(alert|crit|emerg)\]/);
});
