import { afterEach, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { exchange } from '../support/raw-client.ts';
import { reply, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

let proxy: RunningProxy | undefined;
let backends: ScriptedBackend[] = [];

afterEach(async () => {
  await proxy?.stop();
  await Promise.all(backends.map((backend) => backend.stop()));
  [proxy, backends] = [undefined, []];
});

const REQUESTS = 50;

/** Requests that break each of three backends; how many the backends see in all. */
async function poison(upstream: string): Promise<{ seen: number; statuses: Set<string> }> {
  backends = await Promise.all(
    [1, 2, 3].map(() => ScriptedBackend.start({ script: reply('', '500 Internal Server Error') })),
  );
  const port = await freePort();
  const servers = backends.map((backend) => `server 127.0.0.1:${backend.port} max_fails=0;`).join(' ');
  proxy = await startProxy({
    conf: `error_log error.log warn; events {}
http {
  access_log off;
  upstream u { ${upstream} ${servers} }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; proxy_next_upstream http_500; } }
}`,
  });
  const statuses = new Set<string>();
  for (let i = 0; i < REQUESTS; i++) {
    const client = await exchange({ port }, 'GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n');
    statuses.add(client.responses()[0]?.startLine ?? '');
  }
  return { seen: backends.reduce((sum, backend) => sum + backend.requests.length, 0), statuses };
}

test('without a budget a harmful request meets all peers', async () => {
  expect((await poison('')).seen).toBe(3 * REQUESTS);
});

test('retry_budget 20%: at most a fifth is tried again, the others get what their first peer said', async () => {
  const { seen, statuses } = await poison('retry_budget 20%;');
  expect(seen).toBeGreaterThanOrEqual(REQUESTS + 3);
  expect(seen).toBeLessThanOrEqual(REQUESTS * 1.2);
  expect([...statuses]).toEqual(['HTTP/1.1 500 Internal Server Error']);
  expect(proxy?.errorLog()).toContain('retry_budget 20% of upstream "u" is used up');
});
