import { describe, expect, onTestFinished, test } from 'vitest';
import { workerPids } from '../process/ask.ts';
import { freePort } from '../support/free-port.ts';
import { statusOf } from '../support/http-message.ts';
import { exchange, RawClient } from '../support/raw-client.ts';
import { RESET, reply, type Script, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

const WORKERS = 2;

async function backend(script: Script): Promise<ScriptedBackend> {
  const started = await ScriptedBackend.start({ script });
  onTestFinished(() => started.stop());
  return started;
}

async function start(upstream: string): Promise<{ proxy: RunningProxy; port: number }> {
  const port = await freePort();
  const proxy = await startProxy({
    conf: `worker_processes ${WORKERS};
error_log error.log info;
events {}
http {
    access_log off;
    upstream u { zone u 64k; ${upstream} }
    server {
        listen 127.0.0.1:${port};
        add_header X-Worker $pid always;
        location / { proxy_pass http://u; }
        location = /pid { return 200 ""; }
        location = /lb_status { lb_status; }
    }
}
`,
  });
  onTestFinished(async () => void (await proxy.stop()));
  return { proxy, port };
}

/** One connection to each worker, in the order of their pids. */
async function clientOfEach(proxy: RunningProxy, port: number): Promise<RawClient[]> {
  const byWorker = new Map<string, RawClient>();
  for (let i = 0; byWorker.size < WORKERS; i++) {
    expect(i).toBeLessThan(2000);
    const client = await RawClient.connect({ port });
    client.send('GET /pid HTTP/1.1\r\nHost: t\r\n\r\n');
    await client.untilResponses(1);
    const worker = /X-Worker: (\d+)/.exec(client.received)?.[1] ?? '';
    if (byWorker.has(worker)) {
      client.close();
      continue;
    }
    onTestFinished(() => client.close());
    byWorker.set(worker, client);
  }
  return workerPids(proxy).map((pid) => byWorker.get(String(pid)) as RawClient);
}

/** The next answer on this connection. */
async function ask(client: RawClient): Promise<{ status: number; body: string }> {
  const count = client.responses().length;
  client.send('GET / HTTP/1.1\r\nHost: t\r\n\r\n');
  expect(await client.untilResponses(count + 1)).toBe(true);
  const response = client.responses()[count];
  return { status: statusOf(response?.startLine ?? ''), body: response?.body ?? '' };
}

interface Status {
  readonly upstreams: Record<string, { readonly peers: readonly { readonly active: number }[] }>;
}

/**
 * Waits until so many requests are under way at the peers, and every worker has heard of it: the news go to the primary and from there to
 * the others, a turn of the event loop each, in the same channels and before what `lb_status` asks.
 */
async function untilTold(port: number, active: number): Promise<void> {
  const once = async (): Promise<number> => {
    const client = await exchange({ port }, 'GET /lb_status HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n');
    const { upstreams } = JSON.parse(client.responses()[0]?.body ?? '') as Status;
    return upstreams['u']?.peers.reduce((sum, peer) => sum + peer.active, 0) ?? -1;
  };
  await expect.poll(once).toBe(active);
  for (let i = 0; i < 3; i++) expect(await once()).toBe(active);
}

describe('with a zone, workers act as one', () => {
  test('a peer that one worker found failing is out for the others, and comes back for all', async () => {
    const ill = { is: true };
    const a = await backend(() => (ill.is ? [RESET] : reply('a')));
    const b = await backend(reply('b'));
    const { proxy, port } = await start(
      `server 127.0.0.1:${a.port} max_fails=1 fail_timeout=2s; server 127.0.0.1:${b.port};`,
    );
    const [first, second] = (await clientOfEach(proxy, port)) as [RawClient, RawClient];
    while (a.requests.length === 0) expect((await ask(first)).body).toBe('b');
    const tried = a.requests.length;
    expect(tried).toBe(1);
    await untilTold(port, 0);
    for (let i = 0; i < 10; i++) expect((await ask(second)).body).toBe('b');
    expect(a.requests).toHaveLength(tried);
    ill.is = false;
    for (const client of [second, first]) {
      await expect.poll(async () => (await ask(client)).body, { timeout: 6000, interval: 20 }).toBe('a');
    }
  });

  test('max_conns counts what the other worker has in flight', async () => {
    const slow = await backend(() => [600, reply('slow')]);
    const { proxy, port } = await start(`server 127.0.0.1:${slow.port} max_conns=1;`);
    const [first, second] = (await clientOfEach(proxy, port)) as [RawClient, RawClient];
    const answer = ask(first);
    expect(await slow.untilRequests(1)).toBe(true);
    await untilTold(port, 1);
    expect((await ask(second)).status).toBe(502);
    expect((await answer).body).toBe('slow');
    // The place is free again, for both.
    await untilTold(port, 0);
    expect((await ask(second)).status).toBe(200);
    await untilTold(port, 0);
    expect((await ask(first)).status).toBe(200);
  });

  test('least_conn sees what the other worker has in flight', async () => {
    const busy = await backend(() => [1000, reply('busy')]);
    const free = await backend(reply('free'));
    const { proxy, port } = await start(`least_conn; server 127.0.0.1:${busy.port}; server 127.0.0.1:${free.port};`);
    const [first, second] = (await clientOfEach(proxy, port)) as [RawClient, RawClient];
    // 1. the first worker has one in flight at `busy`
    first.send('GET / HTTP/1.1\r\nHost: t\r\n\r\n'.repeat(2));
    expect(await busy.untilRequests(1)).toBe(true);
    await untilTold(port, 1);
    // 2. the second one goes to `free` as long as that lasts
    for (let i = 0; i < 6; i++) expect((await ask(second)).body).toBe('free');
    expect(busy.requests).toHaveLength(1);
  });
});
