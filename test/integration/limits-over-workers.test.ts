import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { get, until, untilLogged, workerPids } from '../process/ask.ts';
import { freePort } from '../support/free-port.ts';
import { RawClient } from '../support/raw-client.ts';
import { reply, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

let proxy: RunningProxy | undefined;
let backend: ScriptedBackend | undefined;
const clients: RawClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await proxy?.stop();
  await backend?.stop();
  proxy = backend = undefined;
});

const WORKERS = 4;

async function start(location: string, port: number, key = '$arg_k', workers = WORKERS): Promise<RunningProxy> {
  proxy = await startProxy({ conf: conf(location, port, key, workers), startDeadlineMs: 30_000 });
  return proxy;
}

function conf(location: string, port: number, key = '$arg_k', workers = WORKERS): string {
  return `
    worker_processes ${workers}; error_log error.log info; events { worker_connections 1000; }
    http {
      access_log off;
      limit_req_zone ${key} zone=req:1m rate=1r/m;
      limit_conn_zone ${key} zone=conn:1m;
      server {
        listen 127.0.0.1:${port};
        location /pid { return 200 $pid; }
        location / { ${location} }
      }
    }`;
}

/** Makes all connections first, then asks on all of them at once; their statuses. */
async function askAll(port: number, count: number, target: string): Promise<number[]> {
  const all = await Promise.all(Array.from({ length: count }, () => RawClient.connect({ port })));
  clients.push(...all);
  for (const client of all) client.send(`GET ${target} HTTP/1.1\r\nHost: test\r\n\r\n`);
  await Promise.all(all.map((client) => client.untilResponses(1, 20_000)));
  return all.map((client) => Number(client.responses()[0]?.startLine.split(' ')[1]));
}

const count = (statuses: readonly number[], status: number): number => statuses.filter((one) => one === status).length;

describe('over four workers', () => {
  test('limit_req lets in exactly what it says, round after round', async () => {
    backend = await ScriptedBackend.start({ script: () => reply('ok') });
    const port = await freePort();
    await start(`limit_req zone=req burst=19 nodelay; proxy_pass http://127.0.0.1:${backend.port};`, port);
    const pids = new Set<string>();
    for (let i = 0; i < 60 && pids.size < 2; i++) pids.add((await get(port, '/pid')).body);
    expect(pids.size, 'connections go to several workers').toBeGreaterThan(1);
    for (const key of ['a', 'b', 'c']) {
      const statuses = await askAll(port, 100, `/?k=${key}`);
      expect([count(statuses, 200), count(statuses, 503)]).toEqual([20, 80]);
    }
    // A client that goes on is refused by whichever worker it meets.
    for (let i = 0; i < 20; i++) expect((await get(port, '/?k=a')).status).toBe(503);
  });

  test('limit_conn lets in exactly what it says, and room comes back', async () => {
    backend = await ScriptedBackend.start({ script: () => [500, reply('slow')] });
    const port = await freePort();
    await start(`limit_conn conn 7; proxy_pass http://127.0.0.1:${backend.port};`, port);
    for (let round = 0; round < 3; round++) {
      const statuses = await askAll(port, 60, '/?k=a');
      expect([count(statuses, 200), count(statuses, 503)]).toEqual([7, 53]);
      await sleep(50); // what ended is told at the end of its turn
    }
  });

  test('a worker that is killed gives back what it had', async () => {
    backend = await ScriptedBackend.start({
      script: ({ target }) => [target.includes('long') ? 20_000 : 0, reply('ok')],
    });
    const port = await freePort();
    const running = await start(`limit_conn conn 4; proxy_pass http://127.0.0.1:${backend.port};`, port);
    const held: RawClient[] = [];
    for (let i = 0; i < 4; i++) {
      const client = await RawClient.connect({ port });
      client.send('GET /long?k=a HTTP/1.1\r\nHost: test\r\n\r\n');
      held.push(client);
    }
    clients.push(...held);
    await until(async () => ((await get(port, '/?k=a')).status === 503 ? true : undefined));
    for (const pid of workerPids(running)) process.kill(pid, 'SIGKILL');
    await until(async () => {
      const answer = await get(port, '/?k=a').catch(() => null);
      return answer?.status === 200 ? true : undefined;
    }, 20_000);
  });
});

describe('a reload', () => {
  test('keeps the states; one that changes the key of a zone is refused', async () => {
    backend = await ScriptedBackend.start({ script: () => reply('ok') });
    const port = await freePort();
    const location = `limit_req zone=req; proxy_pass http://127.0.0.1:${backend.port};`;
    const running = await start(location, port, '$arg_k', 2);
    expect((await get(port, '/?k=a')).status).toBe(200);
    running.rewriteConf(conf(`${location} limit_req_status 429;`, port, '$arg_k', 3));
    running.signal('SIGHUP');
    // Its states are known: nobody was let in on the way.
    await until(async () => {
      const { status } = await get(port, '/?k=a');
      expect(status).not.toBe(200);
      return status === 429 ? true : undefined;
    });

    running.rewriteConf(conf(location, port, '$arg_j', 2));
    running.signal('SIGHUP');
    const said = /\[emerg\] .*limit_req "req" uses the "\$arg_j" key while previously it used the "\$arg_k" key/;
    expect(await untilLogged(running, said)).toBe(true);
    expect((await get(port, '/?k=a')).status).toBe(429);
  });

  test('to more workers hands over what the only one knew', async () => {
    backend = await ScriptedBackend.start({ script: () => reply('ok') });
    const port = await freePort();
    const location = `limit_req zone=req burst=1 nodelay; proxy_pass http://127.0.0.1:${backend.port};`;
    const running = await start(location, port, '$arg_k', 1);
    expect((await get(port, '/?k=a')).status).toBe(200);
    running.rewriteConf(conf(location, port, '$arg_k', WORKERS));
    running.signal('SIGHUP');
    await until(async () => (workerPids(running).length === WORKERS ? true : undefined));
    const statuses = await askAll(port, 30, '/?k=a');
    expect(count(statuses, 200)).toBe(1);
  });
});
