import { afterEach, expect, test } from 'vitest';
import { makeCertificate } from '../support/certificates.ts';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { socketCount } from '../support/process-facts.ts';
import { exchange, RawClient } from '../support/raw-client.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

const PAIR = makeCertificate('site');
const GET = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
const FIRST_OF_A_HELLO = '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03';

let proxy: RunningProxy | undefined;
let port = 0;

afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
});

async function start(more = ''): Promise<RunningProxy> {
  port = await freePort();
  proxy = await startProxy({
    conf: `error_log error.log info;\nevents {}\nhttp { access_log access.log; server { listen 127.0.0.1:${port} ssl; ssl_certificate c.pem; ssl_certificate_key c.key; ${more} location / { return 200 "well"; } location /status { stub_status; } } }\n`,
    files: { 'c.pem': PAIR.cert, 'c.key': PAIR.key },
  });
  return proxy;
}

async function expectWell(path = '/'): Promise<string> {
  const client = await exchange({ port, tls: {} }, GET.replace(' / ', ` ${path} `));
  expect(client.responses()[0]?.startLine).toBe('HTTP/1.1 200 OK');
  return client.responses()[0]?.body ?? '';
}

function workerPid(running: RunningProxy): number {
  return Number(/start worker process (\d+)/.exec(running.errorLog())?.[1] ?? running.pid);
}

/** What a client may do instead of a handshake. */
const CLIENTS: Readonly<Record<string, (client: RawClient) => unknown>> = {
  'says nothing': () => undefined,
  'goes at once': (client) => client.leave(),
  'resets at once': (client) => client.reset(),
  'sends half a hello': (client) => client.send(FIRST_OF_A_HELLO),
  'sends half a hello and goes': (client) => {
    client.send(FIRST_OF_A_HELLO);
    client.halfClose();
  },
  'sends half a hello and resets': (client) => {
    client.send(FIRST_OF_A_HELLO);
    setImmediate(() => client.reset());
  },
  'sends garbage in a record': (client) => client.send(`\x16\x03\x01\x00\x40${'\xff'.repeat(64)}`),
  'sends a record that is too long': (client) => client.send(`\x16\x03\x01\xff\xff${'a'.repeat(70_000)}`),
  'sends an endless hello': (client) => client.send(`\x16\x03\x01\x40\x00\x01\xff\xff\xff${'b'.repeat(200_000)}`),
  'sends empty records': (client) => client.send('\x16\x03\x01\x00\x00'.repeat(1000)),
  'sends a hello by the byte': async (client) => {
    for (const byte of FIRST_OF_A_HELLO) {
      client.send(byte);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  },
  'sends an alert': (client) => client.send('\x15\x03\x01\x00\x02\x02\x28'),
  'sends the start of SSLv2': (client) => client.send('\x80\x2e\x01\x00\x02'),
  'sends random bytes': (client) => client.send(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(500)))),
};

test('clients that make no handshake are closed, and leave nothing behind', async () => {
  const running = await start('client_header_timeout 400ms;');
  await expectWell();
  const pid = workerPid(running);
  const before = socketCount(pid);
  const clients: RawClient[] = [];
  for (const act of Object.values(CLIENTS)) {
    for (let i = 0; i < 5; i++) {
      const client = await RawClient.connect({ port });
      clients.push(client);
      await act(client);
    }
  }
  await expectWell();
  for (const client of clients) if (!client.hasLeft) expect(await client.untilClosed(3000)).not.toBe('open');
  expect(await poll(() => (socketCount(pid) <= before ? true : undefined), 3000)).toBe(true);
  const [, active] = /Active connections: (\d+)/.exec(await expectWell('/status')) ?? [];
  expect(active).toBe('1');
  expect(running.errorLog()).not.toMatch(/\[(alert|crit|emerg)\]/);
  expect(workerPid(running)).toBe(pid);
});

test('a stalled handshake ends after client_header_timeout, with a line in the log', async () => {
  const running = await start('client_header_timeout 200ms;');
  const client = await RawClient.connect({ port });
  client.send(FIRST_OF_A_HELLO);
  expect(await client.untilClosed(3000)).toBe('closed');
  await expect
    .poll(() => running.errorLog())
    .toContain('client timed out (110: Connection timed out) while SSL handshaking, client: 127.0.0.1');
});

test('a client that is silent behind its handshake is closed as well', async () => {
  const running = await start('client_header_timeout 300ms;');
  const client = await RawClient.connect({ port, tls: {} });
  expect(await client.untilClosed(3000)).toBe('closed');
  await expect.poll(() => running.errorLog()).toContain('client timed out (110: Connection timed out) while waiting');
});

test('a client that resets in the middle of a large answer', async () => {
  const running = await start('location /big { proxy_pass http://127.0.0.1:1; }');
  const client = await RawClient.connect({ port, tls: {} });
  client.send(GET.replace('close', 'keep-alive'));
  expect(await client.untilResponses(1)).toBe(true);
  client.leave();
  await expectWell();
  expect(running.errorLog()).not.toMatch(/\[(alert|crit|emerg)\]/);
});

test('QUIT closes handshakes that are under way, and ends', async () => {
  const running = await start();
  const client = await RawClient.connect({ port });
  client.send(FIRST_OF_A_HELLO);
  await expectWell();
  running.signal('SIGQUIT');
  expect(await client.untilClosed(3000)).not.toBe('open');
  expect((await running.exited).code).toBe(0);
});
