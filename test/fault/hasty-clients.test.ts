import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { openFiles, residentBytes } from '../support/process-facts.ts';
import { HANG, reply } from '../support/scripted-backend.ts';
import { get, OneBackend, statuses } from './one-backend.ts';

const MIB = 1 << 20;

function connectAndReset(port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => resolve());
    socket.once('connect', () => {
      if (bytes !== '') socket.write(bytes);
      socket.resetAndDestroy();
      resolve();
    });
  });
}

test('a thousand connections that are reset at once leave nothing behind', async () => {
  const site = await OneBackend.start(reply('ok'));
  const before = openFiles(site.workerPid).length;
  for (let i = 0; i < 1000; i += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, nth) => connectAndReset(site.port, nth % 2 === 0 ? '' : get())));
  }
  const client = await site.ask(get());
  expect(statuses(client)).toEqual([200]);
  client.close();
  expect(await site.activeAtPeer()).toBe(0);
  // Idle connections to the peer may stay: 32 by default.
  await expect.poll(() => openFiles(site.workerPid).length).toBeLessThanOrEqual(before + 32);
  expect(site.proxy.errorLog()).not.toMatch(/\[(alert|crit|emerg)\]/);
});

test('two thousand requests that are given up do not make the worker grow', async () => {
  const site = await OneBackend.start([HANG]);
  const round = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 50) {
      const clients = await Promise.all(Array.from({ length: 50 }, () => site.connect()));
      for (const client of clients) client.send(get());
      expect(await site.backend.untilRequests(50)).toBe(true);
      for (const client of clients) client.reset();
      await expect.poll(() => site.backend.openConnections).toBe(0);
      site.backend.forget();
    }
  };
  await round(500);
  const before = residentBytes(site.workerPid);
  await round(1500);
  expect(residentBytes(site.workerPid) - before).toBeLessThan(48 * MIB);
  expect(await site.activeAtPeer()).toBe(0);
});
