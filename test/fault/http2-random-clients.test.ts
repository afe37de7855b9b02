import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { workerPids } from '../process/ask.ts';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { H2Client } from '../support/h2-client.ts';
import { END_HEADERS, END_STREAM, FRAME, fields, frame, RawH2Client, uint32 } from '../support/h2-frames.ts';
import { CLOSE, HANG, RESET, ScriptedBackend } from '../support/scripted-backend.ts';
import { startProxy } from '../support/start-proxy.ts';

/** The same frames in every run, unless told otherwise. */
const SEED = Number(process.env['EVENKEEL_SEED'] ?? 7);
const CLIENTS = Number(process.env['EVENKEEL_ROUNDS'] ?? 150);
const AT_ONCE = 10;

const PATHS = ['/ok', '/up', '/stream', '/hang', '/cut', '/reset', '/204', '/444', '/file', '/limited', '/none'];
const HEAD = 'HTTP/1.1 200 OK\r\n';

const stream = fc.integer({ min: 0, max: 5 }).map((n) => 2 * n + 1);
const head = fc
  .record({
    id: stream,
    method: fc.constantFrom('GET', 'GET', 'HEAD', 'POST', 'PUT', 'CONNECT', 'TRACE'),
    path: fc.constantFrom(...PATHS),
    length: fc.constantFrom('', '', '0', '5', '100'),
    isEnd: fc.boolean(),
    odd: fc.constantFrom('', '', '', '', 'x_odd', 'connection', 'Upper', 'host', 'te', 'expect'),
  })
  .map(({ id, method, path, length, isEnd, odd }) =>
    frame(
      FRAME.headers,
      END_HEADERS | (isEnd ? END_STREAM : 0),
      id,
      fields(
        ...[':method', method, ':path', path, ':scheme', 'http', ':authority', 't'],
        ...(length === '' ? [] : ['content-length', length]),
        ...(odd === '' ? [] : [odd, '100-continue']),
      ),
    ),
  );
const body = fc
  .record({ id: stream, bytes: fc.integer({ min: 0, max: 20_000 }), isEnd: fc.boolean() })
  .map(({ id, bytes, isEnd }) => frame(FRAME.data, isEnd ? END_STREAM : 0, id, Buffer.alloc(bytes, 'b')));
const reset = fc
  .record({ id: stream, code: fc.constantFrom(0, 1, 2, 5, 8, 11, 99) })
  .map(({ id, code }) => frame(FRAME.reset, 0, id, uint32(code)));
const update = fc
  .record({ id: fc.oneof(stream, fc.constant(0)), size: fc.constantFrom(1, 100, 65_535, 1_000_000) })
  .map(({ id, size }) => frame(FRAME.windowUpdate, 0, id, uint32(size)));
const setting = fc
  .record({ id: fc.constantFrom(1, 3, 4, 5, 8), value: fc.constantFrom(0, 1, 100, 16_384, 100_000) })
  .map(({ id, value }) => frame(FRAME.settings, 0, 0, Buffer.concat([Buffer.from([0, id]), uint32(value)])));
const other = fc.oneof(
  fc.constant(frame(FRAME.ping, 0, 0, Buffer.alloc(8))),
  fc.constant(frame(FRAME.goaway, 0, 0, Buffer.alloc(8))),
  fc.uint8Array({ minLength: 0, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: head },
    { weight: 6, arbitrary: body },
    { weight: 3, arbitrary: reset },
    { weight: 3, arbitrary: update },
    { weight: 1, arbitrary: setting },
    { weight: 1, arbitrary: other },
  ),
  { minLength: 1, maxLength: 12 },
);

test('whatever clients send, the worker lives, nothing is left behind and others are served', async () => {
  const backend = await ScriptedBackend.start({
    script: ({ target }) => {
      switch (target) {
        case '/hang':
          return [HANG];
        case '/cut':
          return [`${HEAD}Content-Length: 100\r\n\r\nhalf`, CLOSE];
        case '/reset':
          return [RESET];
        case '/stream':
          return [`${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`, 5, '0\r\nX-T: 1\r\n\r\n'];
        default:
          return `${HEAD}Content-Length: 2\r\n\r\nok`;
      }
    },
  });
  onTestFinished(() => backend.stop());
  const port = await freePort();
  const proxy = await startProxy({
    conf: `error_log error.log notice;
events { worker_connections 2048; }
http {
  access_log access.log;
  http2 on;
  server {
    listen 127.0.0.1:${port};
    root .;
    client_body_timeout 2s; send_timeout 2s; keepalive_timeout 2s; proxy_read_timeout 2s; lingering_timeout 1s;
    proxy_pass_trailers on;
    location = /status { stub_status; }
    location = /204 { return 204; }
    location = /444 { return 444; }
    location = /ok { return 200 ok; }
    location = /file { try_files /nginx.conf =404; }
    location = /limited { limit_rate 5k; return 200 "${'x'.repeat(3000)}"; }
    location = /stream { proxy_pass http://127.0.0.1:${backend.port}; proxy_buffering off; proxy_request_buffering off; }
    location / { proxy_pass http://127.0.0.1:${backend.port}; }
  }
}
`,
  });
  onTestFinished(async () => void (await proxy.stop()));
  const bystander = await H2Client.connect(port);
  onTestFinished(() => bystander.close());
  const [worker] = workerPids(proxy);
  const sequences = fc.sample(steps, { numRuns: CLIENTS, seed: SEED });
  const leaving = fc.sample(fc.constantFrom('now', 'soon', 'reset'), { numRuns: CLIENTS, seed: SEED });

  for (let at = 0; at < sequences.length; at += AT_ONCE) {
    await Promise.all(
      sequences.slice(at, at + AT_ONCE).map(async (frames, i) => {
        const client = await RawH2Client.connect(port);
        for (const one of frames) client.send(one);
        if (leaving[at + i] !== 'now') await poll(() => (client.isClosed ? true : undefined), 30);
        if (leaving[at + i] === 'reset') client.socket.resetAndDestroy();
        else client.close();
      }),
    );
    expect((await bystander.ask('/ok')).body.toString()).toBe('ok');
  }
  expect(workerPids(proxy)).toEqual([worker]);
  expect(proxy.errorLog()).not.toMatch(/\[alert\]|\[emerg\]/);
  // Every connection is gone but the one that asks, and every count is right again.
  let status = '';
  for (let i = 0; i < 400 && !/^Active connections: 1 \n/.test(status); i++) {
    status = (await bystander.ask('/status')).body.toString();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(status).toMatch(/^Active connections: 1 \n/);
  expect(status).toContain('Reading: 0 Writing: 1 Waiting: 0');
  // Every exchange ended, so every connection to the peer did.
  expect(await poll(() => (backend.openConnections === 0 ? true : undefined), 8000, 20)).toBe(true);
});
