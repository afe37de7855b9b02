import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { reply } from '../support/scripted-backend.ts';
import { get, OneBackend, post, statuses } from './one-backend.ts';

const MIB = 1 << 20;

describe('logs on a full disk', () => {
  test('requests are served, the access log is what is lost', async () => {
    const site = await OneBackend.start(reply('ok'), { server: 'access_log /dev/full drill;' });
    const client = await site.connect();
    for (let i = 1; i <= 20; i++) {
      client.send(get());
      expect(await client.untilResponses(i)).toBe(true);
    }
    expect(new Set(statuses(client))).toEqual(new Set([200]));
  });

  test('the same with a buffered access log', async () => {
    const site = await OneBackend.start(reply('ok'), { server: 'access_log /dev/full drill buffer=1k flush=10ms;' });
    const client = await site.connect();
    for (let i = 1; i <= 50; i++) {
      client.send(get());
      expect(await client.untilResponses(i)).toBe(true);
    }
    expect(new Set(statuses(client))).toEqual(new Set([200]));
  });

  test('an error log that cannot be written', async () => {
    const site = await OneBackend.start(reply('ok'), { server: 'error_log /dev/full debug;' });
    for (const bytes of [get(), 'bad\r\n\r\n', get()]) {
      const client = await site.ask(bytes);
      expect(statuses(client)).toHaveLength(1);
    }
  });
});

describe('temporary files that cannot be made', () => {
  test('for a request body: 500, logged, and the next request is served', async () => {
    const site = await OneBackend.start(reply('ok'), {
      server: 'client_body_temp_path body; client_max_body_size 0; client_body_buffer_size 8k;',
    });
    blockDirectory(site, 'body');
    const client = await site.connect();
    client.send(post('x'.repeat(MIB)));
    expect(await client.untilResponses(1)).toBe(true);
    expect(statuses(client)).toEqual([500]);
    expect(site.backend.requests).toEqual([]);
    await expect.poll(() => site.proxy.errorLog()).toMatch(/\[crit\].*failed/);
    expect(statuses(await site.ask(get()))).toEqual([200]);
    expect(await site.activeAtPeer()).toBe(0);
  });

  test('for a response: it breaks off visibly, logged, and the next request is served', async () => {
    const body = 'x'.repeat(32 * MIB);
    const site = await OneBackend.start((request) => reply(request.target === '/huge' ? body : 'ok'), {
      location: 'proxy_temp_path temp; proxy_buffers 4 4k; proxy_busy_buffers_size 8k;',
    });
    blockDirectory(site, 'temp');
    const client = await site.connect();
    client.socket.pause();
    client.send(get('/huge'));
    await expect.poll(() => site.proxy.errorLog()).toMatch(/\[crit\].*failed/);
    client.socket.resume();
    expect(await client.untilClosed()).not.toBe('open');
    expect(client.responses()[0]?.isComplete ?? false).toBe(false);
    expect(statuses(await site.ask(get()))).toEqual([200]);
    expect(await site.activeAtPeer()).toBe(0);
  });
});

/** A file stands where the directory should be made. */
function blockDirectory(site: OneBackend, name: string): void {
  const path = join(site.proxy.prefix, name);
  rmSync(path, { recursive: true, force: true });
  writeFileSync(path, '');
}
