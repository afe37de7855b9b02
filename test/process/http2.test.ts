import { expect, onTestFinished, test } from 'vitest';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { H2Client, readResponse } from '../support/h2-client.ts';
import { END_HEADERS, END_STREAM, FRAME, frame, getFields, RawH2Client } from '../support/h2-frames.ts';
import { ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

interface Site {
  readonly proxy: RunningProxy;
  readonly port: number;
  readonly backend: ScriptedBackend;
}

const conf = (port: number, backend: number, more: string): string => `error_log error.log info;
events {}
http {
  log_format t '$request $status $connection_requests';
  access_log access.log t;
  http2 on;
  ${more}
  server {
    listen 127.0.0.1:${port};
    location = /ok { return 200 ok; }
    location / { proxy_pass http://127.0.0.1:${backend}; proxy_read_timeout 20s; }
  }
}
`;

async function start(more = '', main = ''): Promise<Site> {
  const backend = await ScriptedBackend.start({
    script: ['HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha', 700, 'lf'],
  });
  onTestFinished(() => backend.stop());
  const port = await freePort();
  const proxy = await startProxy({ conf: `${main}\n${conf(port, backend.port, more)}` });
  onTestFinished(async () => void (await proxy.stop()));
  return { proxy, port, backend };
}

async function client(port: number): Promise<H2Client> {
  const h2 = await H2Client.connect(port);
  onTestFinished(() => h2.close());
  return h2;
}

test('QUIT: an idle connection closes at once, one at work finishes its streams behind a GOAWAY', async () => {
  const { proxy, port, backend } = await start();
  const idle = await client(port);
  expect((await idle.ask('/ok')).status).toBe(200);
  const busy = await client(port);
  const answer = readResponse(busy.open({ ':path': '/wait', ':authority': 't' }));
  await backend.untilRequests(1);
  proxy.signal('SIGQUIT');
  await idle.closed;
  expect(idle.goawayCode).toBe(0);
  expect(busy.isClosed).toBe(false);
  const { status, body, resetCode } = await answer;
  expect([status, body.toString(), resetCode]).toEqual([200, 'half', 0]);
  await busy.closed;
  expect(busy.goawayCode).toBe(0);
  expect((await proxy.exited).code).toBe(0);
});

test('worker_shutdown_timeout ends what does not finish', async () => {
  const { proxy, port, backend } = await start('', 'worker_shutdown_timeout 100ms;');
  const h2 = await client(port);
  const answer = readResponse(h2.open({ ':path': '/wait', ':authority': 't' }));
  await backend.untilRequests(1);
  proxy.signal('SIGQUIT');
  expect((await answer).body.toString()).not.toBe('half');
  expect((await proxy.exited).code).toBe(0);
});

test('a reload: the connection lives on, and the next request is for the new configuration', async () => {
  const { proxy, port, backend } = await start();
  const h2 = await client(port);
  expect((await h2.ask('/ok')).body.toString()).toBe('ok');
  proxy.rewriteConf(conf(port, backend.port, '').replace('return 200 ok', 'return 200 new'));
  proxy.signal('SIGHUP');
  let body = '';
  for (let i = 0; i < 200 && body !== 'new'; i++) body = (await h2.ask('/ok')).body.toString();
  expect(body).toBe('new');
  expect(h2.isClosed).toBe(false);
});

test('a reload that removes the address: GOAWAY, and what is under way finishes', async () => {
  const { proxy, port, backend } = await start();
  const idle = await client(port);
  expect((await idle.ask('/ok')).status).toBe(200);
  const busy = await client(port);
  const answer = readResponse(busy.open({ ':path': '/wait', ':authority': 't' }));
  await backend.untilRequests(1);
  proxy.rewriteConf(conf(await freePort(), backend.port, ''));
  proxy.signal('SIGHUP');
  expect((await answer).body.toString()).toBe('half');
  await Promise.all([idle.closed, busy.closed]);
  expect([idle.goawayCode, busy.goawayCode]).toEqual([0, 0]);
});

test('http2 off after a reload: new connections are HTTP/1.1', async () => {
  const { proxy, port, backend } = await start();
  proxy.rewriteConf(conf(port, backend.port, '').replace('http2 on', 'http2 off'));
  proxy.signal('SIGHUP');
  const isRefused = async (): Promise<boolean> => {
    const raw = await RawH2Client.connect(port);
    const isGone = await Promise.race([raw.untilClosed(), raw.until(FRAME.settings).then(() => false)]);
    raw.close();
    return isGone;
  };
  let refused = false;
  for (let i = 0; i < 100 && !refused; i++) refused = await isRefused();
  expect(refused).toBe(true);
});

test('keepalive_requests: GOAWAY, what is under way finishes, then the connection closes', async () => {
  const { port } = await start('keepalive_requests 3;');
  const h2 = await client(port);
  const answers = await Promise.all([h2.ask('/wait'), h2.ask('/ok'), h2.ask('/ok')]);
  expect(answers.map((answer) => [answer.status, answer.resetCode])).toEqual([
    [200, 0],
    [200, 0],
    [200, 0],
  ]);
  await h2.closed;
  expect(h2.goawayCode).toBe(0);
});

test('keepalive_timeout and client_header_timeout end idle connections', async () => {
  const { proxy, port } = await start('keepalive_timeout 1s; client_header_timeout 1s;');
  const used = await client(port);
  expect((await used.ask('/ok')).status).toBe(200);
  const silent = await client(port);
  await Promise.all([used.closed, silent.closed]);
  expect([used.goawayCode, silent.goawayCode]).toEqual([0, 0]);
  expect(proxy.errorLog()).toMatch(
    /client timed out \(110: Connection timed out\) while processing HTTP\/2 connection/,
  );
});

test('client_body_timeout and send_timeout end a stream, and the others go on', async () => {
  const { proxy, port } = await start('client_body_timeout 300ms; send_timeout 300ms;');
  const h2 = await client(port);
  const upload = h2.open({ ':path': '/up', ':method': 'POST', ':authority': 't', 'content-length': '100' }, false);
  upload.write('half');
  const { resetCode } = await readResponse(upload);
  expect(resetCode).toBe(1);
  expect((await h2.ask('/ok')).status).toBe(200);
  expect(await poll(() => (/POST \/up HTTP\/2\.0 408/.test(proxy.read('access.log')) ? true : undefined), 5000)).toBe(
    true,
  );

  // No window: nothing of the answer can be sent.
  const raw = await RawH2Client.connect(port, Buffer.from([0, 4, 0, 0, 0, 0]));
  onTestFinished(() => raw.close());
  raw.send(frame(FRAME.headers, END_HEADERS | END_STREAM, 1, getFields('/ok')));
  expect((await raw.until(FRAME.reset, 1))?.stream).toBe(1);
  expect(
    await poll(() => (/client timed out .* while sending to client/.test(proxy.errorLog()) ? true : undefined), 5000),
  ).toBe(true);
});
