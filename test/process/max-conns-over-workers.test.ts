import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { get, workerPids } from './ask.ts';

const WORKERS = 4;
const WORK_MS = 5;

/** Takes a while for each request, and knows how many it ever had at once. */
class BusyBackend {
  readonly #server: Server;
  #active = 0;
  most = 0;
  served = 0;

  constructor() {
    this.#server = createServer((_request, response) => {
      this.#active++;
      this.most = Math.max(this.most, this.#active);
      setTimeout(() => {
        this.#active--;
        this.served++;
        response.end('served');
      }, WORK_MS);
    });
  }

  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      this.#server.closeAllConnections();
      this.#server.close();
    });
    return (this.#server.address() as AddressInfo).port;
  }
}

async function start(upstream: string): Promise<{ proxy: RunningProxy; port: number }> {
  const port = await freePort();
  const proxy = await startProxy({
    conf: `worker_processes ${WORKERS};
error_log error.log notice;
events {}
http {
    access_log off;
    upstream u { zone u 64k; ${upstream} }
    server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; } }
}
`,
  });
  onTestFinished(async () => void (await proxy.stop()));
  return { proxy, port };
}

/** `clients` at once, each with one request after the other; the statuses of all answers. */
async function load(port: number, clients: number, each: number): Promise<number[]> {
  const statuses: number[] = [];
  const client = async (): Promise<void> => {
    for (let i = 0; i < each; i++) statuses.push((await get(port)).status);
  };
  await Promise.all(Array.from({ length: clients }, client));
  return statuses;
}

test('with more load than max_conns the peer never has more at once, over all workers', async () => {
  const backend = new BusyBackend();
  const { port } = await start(`server 127.0.0.1:${await backend.start()} max_conns=5;`);
  const statuses = await load(port, 40, 25);
  expect(backend.most).toBe(5);
  expect(statuses.filter((status) => status === 200)).toHaveLength(backend.served);
  expect([...new Set(statuses)].toSorted()).toEqual([200, 502]);
});

test('what max_conns allows is served, whichever worker is asked', async () => {
  const backend = new BusyBackend();
  const { port } = await start(`server 127.0.0.1:${await backend.start()} max_conns=3;`);
  expect(new Set(await load(port, 3, 40))).toEqual(new Set([200]));
  expect(backend.most).toBeLessThanOrEqual(3);
});

test('the slots of a worker that was killed are there for the others', async () => {
  const backend = new BusyBackend();
  const { proxy, port } = await start(`server 127.0.0.1:${await backend.start()} max_conns=4;`);
  await load(port, 8, 10);
  for (const pid of workerPids(proxy).slice(1)) process.kill(pid, 'SIGKILL');
  await expect.poll(() => workerPids(proxy).length, { timeout: 10_000 }).toBe(WORKERS);
  await expect
    .poll(async () => (await load(port, 4, 5)).every((status) => status === 200), { timeout: 10_000 })
    .toBe(true);
  await load(port, 20, 10);
  expect(backend.most).toBeLessThanOrEqual(4);
});
