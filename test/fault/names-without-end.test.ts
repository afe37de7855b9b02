import { expect, onTestFinished, test } from 'vitest';
import { workerPids } from '../process/ask.ts';
import { DnsServer } from '../support/dns-server.ts';
import { freePort } from '../support/free-port.ts';
import { socketCount } from '../support/process-facts.ts';
import { exchange, RawClient } from '../support/raw-client.ts';
import { replyAndClose, ScriptedBackend } from '../support/scripted-backend.ts';
import { startProxy } from '../support/start-proxy.ts';

const CLIENTS = 520;
const MOST_QUESTIONS = 500;

test('clients that ask for names nobody answers for: bounded, others are served, nothing is left behind', async () => {
  const dns = await DnsServer.start();
  onTestFinished(() => dns.stop());
  for (let i = 0; i < CLIENTS; i++) dns.set(`n${i}.test`, 'silent');
  const backend = await ScriptedBackend.start({ script: replyAndClose('served') });
  onTestFinished(() => backend.stop());
  const port = await freePort();
  const proxy = await startProxy({
    conf: `error_log error.log info;
events { worker_connections 4096; }
http {
  access_log off;
  resolver 127.0.0.1:${dns.port} ipv6=off;
  resolver_timeout 1h;
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://$arg_host; } }
}
`,
  });
  onTestFinished(async () => void (await proxy.stop()));
  const worker = workerPids(proxy)[0] ?? 0;
  const before = socketCount(worker);

  const clients: RawClient[] = [];
  for (let i = 0; i < CLIENTS; i++) {
    const client = await RawClient.connect({ port });
    client.send(`GET /?host=n${i}.test HTTP/1.1\r\nHost: a\r\n\r\n`);
    clients.push(client);
  }
  const refused = (): number => clients.filter((client) => client.responses().length > 0).length;
  await expect.poll(refused, { timeout: 10_000 }).toBe(CLIENTS - MOST_QUESTIONS);
  expect(proxy.errorLog()).toMatch(/could not be resolved \(2: more than 500 names are being resolved\), client: /);
  const other = await exchange(
    { port },
    `GET /?host=127.0.0.1:${backend.port} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
  );
  expect(other.responses()[0]?.body).toBe('served');

  for (const client of clients) client.close();
  await expect.poll(() => socketCount(worker), { timeout: 10_000 }).toBeLessThanOrEqual(before);
});
