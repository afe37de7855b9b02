import { describe, expect, test } from 'vitest';
import { openFiles, residentBytes } from '../support/process-facts.ts';
import { reply } from '../support/scripted-backend.ts';
import { OneBackend, statuses } from './one-backend.ts';

const MIB = 1 << 20;
const CHUNK = `10000\r\n${'x'.repeat(0x10000)}\r\n`;

describe('a chunked body without end', () => {
  for (const buffering of ['on', 'off']) {
    test(`ends at client_max_body_size with 413 (proxy_request_buffering ${buffering})`, async () => {
      const site = await OneBackend.start(reply('ok'), {
        server: `client_max_body_size 4m; client_body_buffer_size 64k; proxy_request_buffering ${buffering}; lingering_timeout 200ms;`,
      });
      const client = await site.connect();
      const filesBefore = openFiles(site.workerPid).length;
      const before = residentBytes(site.workerPid);
      client.send('POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n');
      for (let sent = 0; sent < 16 * MIB && client.ending === 'open' && client.received === ''; sent += 0x10000) {
        client.send(CHUNK);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await client.untilReceived('\r\n\r\n');
      expect(statuses(client)[0]).toBe(413);
      expect(await site.accessLines(1)).toEqual([expect.stringMatching(/^413 POST /)]);
      await expect
        .poll(() => site.proxy.errorLog())
        .toMatch(/client intended to send too large (chunked )?body: \d+(\+\d+)? bytes/);
      expect(residentBytes(site.workerPid) - before).toBeLessThan(48 * MIB);
      client.close();
      expect(await site.activeAtPeer()).toBe(0);
      await expect.poll(() => openFiles(site.workerPid).length).toBeLessThanOrEqual(filesBefore);
      expect(site.backend.requests.every((request) => !request.isComplete)).toBe(true);
    });
  }

  test('chunk extensions without end are refused', async () => {
    const site = await OneBackend.start(reply('ok'), { server: 'lingering_timeout 200ms;' });
    const client = await site.connect();
    client.send('POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1;');
    for (let i = 0; i < 512 && client.ending === 'open' && client.received === ''; i++) {
      client.send('x'.repeat(4096));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.untilReceived('\r\n\r\n');
    expect(statuses(client)[0]).toBe(400);
    expect(site.backend.requests).toHaveLength(0);
  });

  test('trailers without end are refused', async () => {
    const site = await OneBackend.start(reply('ok'), { server: 'lingering_timeout 200ms;' });
    const client = await site.connect();
    client.send('POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n');
    for (let i = 0; i < 512 && client.ending === 'open' && client.received === ''; i++) {
      client.send(`X-Trailer: ${'x'.repeat(4000)}\r\n`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.untilReceived('\r\n\r\n');
    expect(statuses(client)[0]).toBe(400);
    expect(site.backend.requests).toHaveLength(0);
  });
});
