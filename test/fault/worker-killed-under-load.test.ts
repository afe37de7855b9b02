import { expect, onTestFinished, test } from 'vitest';
import { workerPids } from '../process/ask.ts';
import { poll } from '../support/deadline.ts';
import { type Outcome, tally } from '../support/load.ts';
import { exchange, RawClient } from '../support/raw-client.ts';
import { ThreeBackends } from './three-backends.ts';

interface PeerState {
  readonly state: string;
  readonly requests: number;
}

async function peers(site: ThreeBackends): Promise<PeerState[]> {
  const client = await exchange({ port: site.port }, 'GET /lb_status HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n');
  const status = JSON.parse(client.responses()[0]?.body ?? '') as { upstreams: Record<string, { peers: PeerState[] }> };
  return status.upstreams['u']?.peers ?? [];
}

test("a worker killed with -9 loses its own connections only; it is replaced within a second and knows the zone's peers", async () => {
  const site = await ThreeBackends.start({ workers: 2, upstream: 'zone u 64k;', peer: 'max_fails=1 fail_timeout=60s' });
  const [victim = 0, survivor = 0] = workerPids(site.proxy);
  // 1. c is out, for a minute
  await site.c.behave('503');
  const load = site.load({ connections: 12 });
  await poll(() => (site.proxy.errorLog().includes('temporarily disabled') ? true : undefined), 5000);
  await site.c.behave('ok');
  expect((await peers(site)).map((peer) => peer.state)).toEqual(['up', 'up', 'unavail']);
  await load.more(200);
  const beforeKill = load.outcomes.length;
  const asked = (await site.c.seenIds()).length;

  // 2. the kill
  const killedAtMs = performance.now();
  process.kill(victim, 'SIGKILL');
  const replaced = (): number | undefined => workerPids(site.proxy).find((pid) => pid !== victim && pid !== survivor);
  const newcomer = (await poll(replaced, 5000)) ?? 0;
  expect(performance.now() - killedAtMs).toBeLessThan(1000);

  // 3. the newcomer serves, connections made now may come to it
  const isServing = async (): Promise<boolean> => {
    const client = await RawClient.connect({ port: site.port });
    client.send('GET /new HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n');
    await client.untilResponses(1);
    client.close();
    return client.received.includes(`X-Worker: ${newcomer}\r\n`);
  };
  let served = 0;
  for (let i = 0; served < 20; i++) {
    expect(i).toBeLessThan(3000);
    if (await isServing()) served++;
  }
  await load.more(100);
  const outcomes = await load.stop();

  // 4. what was lost
  const isLost = (outcome: Outcome): boolean => !outcome.isComplete;
  expect(tally(outcomes.slice(0, beforeKill).filter(isLost))).toEqual({});
  const lost = outcomes.filter(isLost);
  expect(lost.length).toBeLessThanOrEqual(12);
  expect(lost.filter((outcome) => outcome.worker === String(survivor))).toEqual([]);
  // `''`: accepted by the victim and not answered yet.
  expect(lost.every((outcome) => [String(victim), ''].includes(outcome.worker))).toBe(true);
  expect(outcomes.some((outcome) => outcome.worker === String(survivor))).toBe(true);

  // 5. c is out still, for the newcomer too
  expect((await peers(site)).map((peer) => peer.state)).toEqual(['up', 'up', 'unavail']);
  expect((await site.c.seenIds()).length).toBe(asked);
  await expect
    .poll(() => site.proxy.errorLog())
    .toMatch(new RegExp(`\\[alert\\] .* worker process ${victim} exited on signal 9\\n`));
});

test('tunnels and keep-alive connections of the others live through a kill', async () => {
  const site = await ThreeBackends.start({
    workers: 2,
    server: 'location /ws { proxy_pass http://u; proxy_read_timeout 60s; }',
  });
  const [victim = 0, survivor = 0] = workerPids(site.proxy);
  const tunnels: { client: RawClient; worker: string }[] = [];
  const isOn = (pid: number) => (one: { worker: string }) => one.worker === String(pid);
  while (!tunnels.some(isOn(victim)) || !tunnels.some(isOn(survivor))) {
    expect(tunnels.length).toBeLessThan(300);
    const client = await RawClient.connect({ port: site.port });
    onTestFinished(() => client.close());
    client.send('GET /ws HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    expect(await client.untilReceived('\r\n\r\n')).toBe(true);
    tunnels.push({ client, worker: /X-Worker: (\d+)/.exec(client.received)?.[1] ?? '' });
  }
  process.kill(victim, 'SIGKILL');
  for (const { client, worker } of tunnels) {
    if (worker === String(victim)) {
      expect(await client.untilClosed()).not.toBe('open');
    } else {
      client.send('still there');
      expect(await client.untilReceived('still there')).toBe(true);
    }
  }
});
