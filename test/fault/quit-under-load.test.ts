import { expect, onTestFinished, test } from 'vitest';
import { within } from '../support/deadline.ts';
import { tally } from '../support/load.ts';
import { RawClient } from '../support/raw-client.ts';
import { ThreeBackends } from './three-backends.ts';

const IDLE = 5;

for (const workers of [1, 2]) {
  test(`QUIT under load (${workers} worker(s)): whatever a peer has seen is answered and logged, idle connections close at once`, async () => {
    const site = await ThreeBackends.start({ workers });
    const { a, b, c, proxy } = site;
    await Promise.all([a, b, c].map((backend) => backend.behave('ok', 150)));
    const idle = await Promise.all(Array.from({ length: IDLE }, () => RawClient.connect({ port: site.port })));
    for (const client of idle) {
      onTestFinished(() => client.close());
      client.send('GET /idle HTTP/1.1\r\nHost: t\r\n\r\n');
    }
    for (const client of idle) expect(await client.untilResponses(1)).toBe(true);
    const load = site.load({ connections: 16, pauseMs: 100 });
    await load.more(100);

    // 1. idle ones go while the others are still answered
    const atQuit = load.outcomes.length;
    proxy.signal('SIGQUIT');
    await Promise.all(idle.map((client) => client.untilClosed()));
    expect(proxy.hasExited).toBe(false);
    await within(proxy.exited, 5000, 'the end after QUIT');
    const outcomes = await load.stop();
    expect(idle.map((client) => client.ending)).toEqual(idle.map(() => 'closed'));
    expect((await proxy.exited).code).toBe(0);

    // 2. nobody can connect any more
    await expect(RawClient.connect({ port: site.port })).rejects.toThrow('ECONNREFUSED');

    // 3. nothing that reached a peer is without its answer
    const seen = new Set((await Promise.all([a, b, c].map((backend) => backend.seenIds()))).flat());
    const unanswered = outcomes.filter((outcome) => !outcome.isComplete || outcome.status !== 200);
    expect(tally(unanswered.filter((outcome) => seen.has(outcome.id)))).toEqual({});
    expect(tally(outcomes.filter((outcome) => outcome.hasBegun && !outcome.isComplete))).toEqual({});
    // Some were under way.
    expect(outcomes.slice(atQuit).some((outcome) => outcome.isComplete)).toBe(true);

    // 4. every answer is in the log
    const logged = proxy
      .read('access.log')
      .split('\n')
      .filter((line) => line.startsWith('200 '));
    expect(logged).toHaveLength(outcomes.filter((outcome) => outcome.status === 200).length + IDLE);
    expect(proxy.errorLog()).not.toMatch(/\[(alert|crit|emerg)\]/);
  });
}
