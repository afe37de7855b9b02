import { expect, test } from 'vitest';
import { connectTo, get, OneBackend, statuses } from './one-backend.ts';

/** The page waits for what the other workers say; meanwhile its client ends the connection. */
for (const page of ['/stub_status', '/lb_status']) {
  for (const leaves of ['halfClose', 'reset'] as const) {
    test(`${page}, ${leaves}: no connection stays behind`, async () => {
      const site = await OneBackend.start('', { server: 'location = /stub_status { stub_status; }' });
      const before = await site.socketsAtMost(0, 200);
      for (let i = 0; i < 20; i++) {
        const client = await connectTo(site.port);
        client.send(get(page));
        client[leaves]();
        if (leaves === 'reset') continue;
        await client.untilClosed();
        expect(statuses(client)).toEqual([200]);
      }
      expect(await site.socketsAtMost(before)).toBeLessThanOrEqual(before);

      const client = await site.ask(get('/stub_status'));
      expect(statuses(client)).toEqual([200]);
      expect(client.received).toContain('Active connections: 1 ');
      expect(client.received).toContain('Reading: 0 Writing: 1 Waiting: 0');
    });
  }
}
