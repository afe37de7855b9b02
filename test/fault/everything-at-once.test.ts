import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { get, isAlive, workerPids } from '../process/ask.ts';
import { poll } from '../support/deadline.ts';
import { tally } from '../support/load.ts';
import { ThreeBackends } from './three-backends.ts';

/** What happens one after the other, each before the load has recovered from the last. */
const EVENTS = [
  'reload',
  'kill worker',
  'kill b',
  'b back',
  'reload',
  'rotate logs',
  'kill worker',
  'reload',
  'kill c',
  'reload',
  'c back',
  'reload',
] as const;

test('reloads, killed workers, killed backends and log rotation in a row: only connections of killed workers are lost', async () => {
  const site = await ThreeBackends.start({ workers: 2, upstream: 'zone u 64k;' });
  const { proxy, b, c } = site;
  const load = site.load({ connections: 10, postEvery: 0 });
  const killed = new Set<string>();
  let generation = 0;
  let rotations = 0;
  await load.more(50);
  for (const event of EVENTS) {
    switch (event) {
      case 'reload':
        site.reload(`location = /generation { return 200 "${++generation}"; }`);
        break;
      case 'kill worker': {
        const [victim = 0] =
          (await poll(() => (workerPids(proxy).length === 2 ? workerPids(proxy) : undefined), 5000)) ?? [];
        killed.add(String(victim));
        process.kill(victim, 'SIGKILL');
        break;
      }
      case 'kill b':
        await b.kill();
        break;
      case 'b back':
        await b.comeBack();
        break;
      case 'kill c':
        await c.kill();
        break;
      case 'c back':
        await c.comeBack();
        break;
      case 'rotate logs':
        renameSync(join(proxy.prefix, 'access.log'), join(proxy.prefix, `access.log.${++rotations}`));
        proxy.signal('SIGUSR1');
        break;
    }
    await load.more(30);
  }
  await load.until((outcome) => outcome.body === 'b', 5000);
  await load.until((outcome) => outcome.body === 'c', 5000);
  const outcomes = await load.stop();

  // 1. no request failed but on connections of killed workers
  const failed = outcomes.filter((outcome) => outcome.status !== 200 || !outcome.isComplete);
  expect(tally(failed.filter((outcome) => outcome.hasBegun && outcome.isComplete))).toEqual({});
  expect(failed.filter((outcome) => outcome.worker !== '' && !killed.has(outcome.worker))).toEqual([]);
  expect(failed.length).toBeLessThanOrEqual(20);

  // 2. all is as configured: the last configuration, two workers, logs that go on
  expect(await poll(() => (workerPids(proxy).length === 2 ? true : undefined), 5000)).toBe(true);
  expect(workerPids(proxy).every(isAlive)).toBe(true);
  const { body } = await get(site.port, '/generation');
  expect(body).toBe(String(generation));
  expect(proxy.read('access.log')).not.toBe('');
  expect(proxy.errorLog()).not.toMatch(/\[(crit|emerg)\]/);
});
