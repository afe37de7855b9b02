import { expect, onTestFinished, test } from 'vitest';
import { workerPids } from '../process/ask.ts';
import { poll } from '../support/deadline.ts';
import { tally } from '../support/load.ts';
import { RawClient } from '../support/raw-client.ts';
import { ThreeBackends } from './three-backends.ts';

const TUNNELS = 10;
const UPGRADE = 'GET /ws HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

async function openTunnel(port: number): Promise<RawClient> {
  const client = await RawClient.connect({ port });
  onTestFinished(() => client.close());
  client.send(UPGRADE);
  expect(await client.untilReceived('101 Switching Protocols')).toBe(true);
  return client;
}

/** Every tunnel carries a word and brings it back. */
async function expectEcho(tunnels: readonly RawClient[], word: string): Promise<void> {
  for (const tunnel of tunnels) tunnel.send(word);
  for (const tunnel of tunnels) expect(await tunnel.untilReceived(word)).toBe(true);
}

/** Waits until every worker answers with this body. */
async function untilServed(site: ThreeBackends, workers: number, body: string): Promise<void> {
  const seen = new Set<string>();
  for (let i = 0; seen.size < workers; i++) {
    expect(i).toBeLessThan(2000);
    const client = await RawClient.connect({ port: site.port });
    client.send('GET /generation HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n');
    await client.untilResponses(1);
    const [response] = client.responses();
    if (response?.body === body) seen.add(/X-Worker: (\d+)/.exec(client.received)?.[1] ?? '');
    client.close();
  }
}

test('ten reloads under load with tunnels open: no request fails, no tunnel closes, the workers stay', async () => {
  const site = await ThreeBackends.start({
    workers: 2,
    upstream: 'zone u 64k;',
    server: 'location /ws { proxy_pass http://u; proxy_read_timeout 60s; }',
  });
  const before = workerPids(site.proxy);
  expect(before).toHaveLength(2);
  const tunnels = await Promise.all(Array.from({ length: TUNNELS }, () => openTunnel(site.port)));
  await expectEcho(tunnels, 'before;');
  const load = site.load();
  await load.more(50);
  for (let i = 0; i < 10; i++) {
    site.reload(`location = /generation { return 200 "${i}"; }`);
    await untilServed(site, 2, String(i));
    await expectEcho(tunnels, `after ${i};`);
    await load.more(20);
  }
  const outcomes = await load.stop();
  expect(Object.keys(tally(outcomes)).filter((kind) => !/^(GET|POST) 200 [abc]$/.test(kind))).toEqual([]);
  expect(tunnels.map((tunnel) => tunnel.ending)).toEqual(tunnels.map(() => 'open'));
  expect(workerPids(site.proxy)).toEqual(before);
  const log = site.proxy.errorLog();
  expect(log.match(/start worker process \d+/g)).toHaveLength(2);
  expect(log.match(/received, reconfiguring/g)).toHaveLength(10);
  expect(log).not.toMatch(/\[(warn|error|crit|alert|emerg)\]/);
});

test('ten reloads under load, each with a configuration that is refused: nothing changes', async () => {
  const site = await ThreeBackends.start({ workers: 2 });
  const load = site.load();
  for (let i = 1; i <= 10; i++) {
    site.reload(`no_such_directive ${i};`);
    const isRefused = (): true | undefined =>
      (site.proxy.errorLog().match(/unknown directive "no_such_directive"/g)?.length ?? 0) >= i ? true : undefined;
    expect(await poll(isRefused, 10_000)).toBe(true);
  }
  await load.more(50);
  expect(Object.keys(tally(await load.stop())).filter((kind) => !/ 200 /.test(kind))).toEqual([]);
});

test('reloads that change addresses, workers and peers under load: whatever a peer has seen is answered', async () => {
  const site = await ThreeBackends.start({ workers: 2 });
  const load = site.load();
  await load.more(50);
  const conf = site.proxy.read('nginx.conf');
  const variants = [
    conf.replace('worker_processes 2', 'worker_processes 1'),
    conf.replace(/server 127\.0\.0\.1:\d+ max_fails/, 'server 127.0.0.1:1 down max_fails'),
    conf.replace('worker_processes 2', 'worker_processes 3'),
    conf.replace('upstream u {', 'upstream u { least_conn; keepalive 4;'),
    conf,
  ];
  for (const [i, variant] of variants.entries()) {
    site.proxy.rewriteConf(
      variant.replace('add_header', `location = /generation { return 200 "${i}"; }\n        add_header`),
    );
    site.proxy.signal('SIGHUP');
    await untilServed(site, 1, String(i));
    await load.more(60);
  }
  const outcomes = await load.stop();
  // A worker that leaves closes its idle connections, some of them while the client's next request is on its way.
  const { a, b, c } = site;
  const seen = new Set((await Promise.all([a, b, c].map((backend) => backend.seenIds()))).flat());
  const failed = outcomes.filter((outcome) => !outcome.isComplete || outcome.status !== 200);
  expect(tally(failed.filter((outcome) => outcome.hasBegun || seen.has(outcome.id)))).toEqual({});
});
