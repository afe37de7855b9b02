import { expect, test } from 'vitest';
import { KEEP, reply } from '../support/scripted-backend.ts';
import { get, OneBackend, statuses } from './one-backend.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

test('a hundred interim responses in a row, and then the answer: it arrives', async () => {
  const site = await OneBackend.start([CONTINUE.repeat(100), reply('ok')]);
  const client = await site.ask(get());
  expect(statuses(client)).toEqual([200]);
});

test('interim responses without end do not hold a request for ever: together they may be as large as one head, proxy_buffer_size', async () => {
  const site = await OneBackend.start(
    [...Array.from({ length: 1000 }, (_, i) => (i % 50 === 49 ? 1 : CONTINUE.repeat(20))), KEEP],
    { location: 'proxy_read_timeout 2s;' },
  );
  const client = await site.ask(get());
  expect(statuses(client)).toEqual([502]);
  await expect.poll(() => site.proxy.errorLog()).toContain('upstream sent too big early hints');
  await expect.poll(() => site.backend.openConnections).toBe(0);
  expect(await site.activeAtPeer()).toBe(0);
});
