import { expect, onTestFinished, test } from 'vitest';
import { isAlive, workerPids } from '../process/ask.ts';
import { within } from '../support/deadline.ts';
import { tally } from '../support/load.ts';
import { exchange, RawClient } from '../support/raw-client.ts';
import { ThreeBackends } from './three-backends.ts';

/** Two workers, the first of them stopped until the test ends. */
async function withOneStopped(): Promise<{ site: ThreeBackends; stopped: number; runs: number }> {
  const site = await ThreeBackends.start({ workers: 2, upstream: 'zone u 64k;' });
  const [stopped = 0, runs = 0] = workerPids(site.proxy);
  process.kill(stopped, 'SIGSTOP');
  onTestFinished(() => {
    if (isAlive(stopped)) process.kill(stopped, 'SIGCONT');
  });
  return { site, stopped, runs };
}

test('a worker that hangs: new connections are served by the other one', async () => {
  const { site, runs } = await withOneStopped();
  const load = site.load();
  await load.more(100);
  const outcomes = await load.stop();
  expect(Object.keys(tally(outcomes)).filter((kind) => !/ 200 /.test(kind))).toEqual([]);
  expect(new Set(outcomes.map((outcome) => outcome.worker))).toEqual(new Set([String(runs)]));
});

test('a worker that hangs does not hold the status page up', async () => {
  const { site } = await withOneStopped();
  const client = await exchange({ port: site.port }, 'GET /lb_status HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n');
  expect(client.received).toMatch(/^HTTP\/1\.1 200 /);
  expect(client.received).toContain('"accepted"');
});

test('a worker that hangs does not outlive TERM', async () => {
  const { site, stopped } = await withOneStopped();
  site.proxy.signal('SIGTERM');
  expect((await within(site.proxy.exited, 4000, 'the end after TERM')).code).toBe(0);
  expect(isAlive(stopped)).toBe(false);
});

test('a reload waits for a worker that hangs, while the other serves on; then all change together', async () => {
  const { site, stopped, runs } = await withOneStopped();
  const load = site.load();
  site.reload('location = /generation { return 200 "new"; }');
  await load.more(100);
  expect(load.outcomes.every((outcome) => outcome.status === 200)).toBe(true);
  process.kill(stopped, 'SIGCONT');
  const served = async (): Promise<string> => {
    const client = await RawClient.connect({ port: site.port });
    client.send('GET /generation HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n');
    await client.untilResponses(1);
    client.close();
    return client.responses()[0]?.body ?? '';
  };
  await expect.poll(served, { timeout: 10_000, interval: 20 }).toBe('new');
  expect(workerPids(site.proxy)).toEqual([stopped, runs]);
  expect(Object.keys(tally(await load.stop())).filter((kind) => !/ 200 /.test(kind))).toEqual([]);
});
