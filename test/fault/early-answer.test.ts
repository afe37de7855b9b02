import { describe, expect, test } from 'vitest';
import { CLOSE, KEEP, reply, replyAndClose } from '../support/scripted-backend.ts';
import { get, OneBackend, post, statuses } from './one-backend.ts';

const MIB = 1 << 20;
const ROOM = 'client_max_body_size 0; client_body_buffer_size 64k;';

describe('an upstream that answers before it has read the body', () => {
  for (const buffering of ['on', 'off']) {
    test(`and keeps reading nothing: the client gets that answer (proxy_request_buffering ${buffering})`, async () => {
      const site = await OneBackend.start([reply('no', '413 Too Much'), KEEP], {
        location: `${ROOM} proxy_request_buffering ${buffering};`,
        backend: { onHead: true },
      });
      const client = await site.connect();
      client.send(post('x'.repeat(8 * MIB)));
      expect(await client.untilResponses(1)).toBe(true);
      expect(statuses(client)).toEqual([413]);
      expect(client.responses()[0]?.body).toBe('no');
      expect(await site.accessLines(1)).toEqual([expect.stringMatching(/^413 POST \/ upstream=413 /)]);
      // What is left of the request makes the connection unfit for another one.
      await expect.poll(() => site.backend.openConnections).toBe(0);
    });

    test(`and closes: the client gets the answer or 502, never silence (proxy_request_buffering ${buffering})`, async () => {
      const site = await OneBackend.start([replyAndClose('no', '413 Too Much'), CLOSE], {
        location: `${ROOM} proxy_request_buffering ${buffering};`,
        backend: { onHead: true },
      });
      const client = await site.connect();
      client.send(post('x'.repeat(8 * MIB)));
      expect(await client.untilResponses(1)).toBe(true);
      expect([413, 502]).toContain(statuses(client)[0]);
      expect(await site.activeAtPeer()).toBe(0);
    });
  }

  test('a small body that was sent whole: the connection is used again', async () => {
    const site = await OneBackend.start(reply('ok'), { backend: { onHead: false } });
    const client = await site.ask(post('small'));
    client.send(get());
    expect(await client.untilResponses(2)).toBe(true);
    expect(site.backend.requests.map((request) => request.connection)).toEqual([1, 1]);
  });
});

describe('Expect: 100-continue', () => {
  test('a client that never sends its body: 408 after client_body_timeout', async () => {
    const site = await OneBackend.start(reply('ok'), { server: 'client_body_timeout 300ms;' });
    const client = await site.connect();
    client.send('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n');
    expect(await client.untilReceived('100 Continue')).toBe(true);
    expect(await client.untilClosed()).not.toBe('open');
    expect(await site.accessLines(1)).toEqual([expect.stringMatching(/^408 POST /)]);
    expect(site.backend.requests).toEqual([]);
  });

  test('a client that is refused and sends its body all the same: the body is no request', async () => {
    const site = await OneBackend.start(reply('ok'), { server: 'client_max_body_size 5; lingering_timeout 200ms;' });
    const client = await site.connect();
    client.send('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 38\r\nExpect: 100-continue\r\n\r\n');
    expect(await client.untilResponses(1)).toBe(true);
    client.send('GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n');
    expect(await client.untilClosed()).not.toBe('open');
    expect(statuses(client)).toEqual([413]);
    expect(site.backend.requests).toEqual([]);
  });
});
