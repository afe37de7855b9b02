import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { workerPids } from '../process/ask.ts';
import { makeCertificate } from '../support/certificates.ts';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { fieldOf, H2Client, readResponse } from '../support/h2-client.ts';
import { END_HEADERS, END_STREAM, FRAME, frame, getFields, PREFACE } from '../support/h2-frames.ts';
import { residentBytes } from '../support/process-facts.ts';
import { exchange } from '../support/raw-client.ts';
import { CLOSE, ECHO, HANG, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

const BIG = randomBytes(8 * 1024 * 1024);
const digest = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex');
const PAIR = makeCertificate('site');
const HEAD = 'HTTP/1.1 200 OK\r\n';

let proxy: RunningProxy;
let backend: Server;
let scripted: ScriptedBackend;
let port = 0;
let tlsPort = 0;
/** Requests that the backend has seen end, and how. */
const ended: string[] = [];
const hanging = new Set<string>();
let proxyPort = 0;
let namePort = 0;

beforeAll(async () => {
  port = await freePort();
  tlsPort = await freePort();
  proxyPort = await freePort();
  namePort = await freePort();
  backend = createServer((req, res) => {
    res.on('close', () => ended.push(`${req.url} ${res.writableFinished ? 'whole' : 'broken'}`));
    if (req.url === '/down') return void res.end(BIG);
    if (req.url?.startsWith('/hang')) {
      hanging.add(req.url);
      return;
    }
    const hash = createHash('sha1');
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      bytes += chunk.length;
    });
    req.on('end', () => res.end(`${bytes} ${hash.digest('hex')} ${req.headers['transfer-encoding'] ?? '-'}`));
  });
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  scripted = await ScriptedBackend.start({
    script: (asked) => {
      switch (asked.target) {
        case '/trailers':
          return `${HEAD}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-Two: a\r\n\r\n`;
        case '/hints':
          return `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>\r\n\r\n${HEAD}Content-Length: 2\r\n\r\nok`;
        case '/latin1':
          return `${HEAD}X-Bytes: \xe9\xff\x80\r\nContent-Length: 1\r\n\r\n\xe9`;
        case '/twice':
          return `${HEAD}Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nETag: "1"\r\nETag: "2"\r\nUpgrade: h2c\r\nKeep-Alive: timeout=5\r\nTE: gzip\r\nX-Odd(Name): 1\r\nContent-Length: 1\r\n\r\nx`;
        case '/999':
          return 'HTTP/1.1 999 Odd\r\nContent-Length: 1\r\n\r\nx';
        case '/205':
          return 'HTTP/1.1 205 Reset Content\r\nContent-Length: 1\r\n\r\nx';
        case '/broken':
          return [`${HEAD}Content-Length: 100\r\n\r\nhalf`, CLOSE];
        case '/slow':
          return [`${HEAD}Content-Length: 4\r\n\r\nha`, 30, 'lf'];
        case '/ws':
          return ['HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n', ECHO];
        default:
          return [HANG];
      }
    },
  });
  proxy = await startProxy({
    conf: `error_log error.log info;
events {}
http {
  log_format t '$request $status $server_protocol $http2 $bytes_sent $body_bytes_sent $connection_requests [$http_x_bytes] $request_completion';
  access_log access.log t;
  client_max_body_size 100m;
  upstream big { server 127.0.0.1:${(backend.address() as AddressInfo).port}; keepalive 4; }
  upstream scripted { server 127.0.0.1:${scripted.port}; }
  http2 on;
  server { listen 127.0.0.1:${namePort} ssl default_server; server_name a; ssl_certificate c.pem; ssl_certificate_key c.key; return 200 a; }
  server { listen 127.0.0.1:${namePort} ssl; server_name b; http2 off; ssl_certificate c.pem; ssl_certificate_key c.key; return 200 b; }
  server { listen 127.0.0.1:${proxyPort} proxy_protocol; location / { return 200 "from $proxy_protocol_addr $http2"; } }
  server {
    listen 127.0.0.1:${port};
    listen 127.0.0.1:${tlsPort} ssl;
    ssl_certificate c.pem;
    ssl_certificate_key c.key;
    early_hints $http2;
    proxy_pass_trailers on;
    location / { proxy_pass http://big; }
    location /unbuffered/ { proxy_pass http://big/; proxy_buffering off; proxy_request_buffering off; }
    location /s/ { proxy_pass http://scripted/; proxy_set_header X-Bytes $http_x_bytes; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection; }
    location /rate { return 200 "${'x'.repeat(3000)}"; limit_rate 10k; }
    location /small { client_max_body_size 10; proxy_pass http://big; }
    location = /text { return 200 "text of $host by $scheme $http_cookie"; add_header X-Http2 $http2; }
    location = /zipped { gzip on; gzip_types text/plain; return 200 "${'z'.repeat(3000)}"; }
    location = /204 { return 204; }
    location = /444 { return 444; }
    location = /loc { return 302 /text; }
  }
}
`,
    files: { 'c.pem': PAIR.cert, 'c.key': PAIR.key },
  });
});

afterAll(async () => {
  await proxy.stop();
  await scripted.stop();
  backend.closeAllConnections();
  await new Promise((resolve) => backend.close(resolve));
});

async function client(options: { isTls?: boolean; windowBytes?: number } = {}): Promise<H2Client> {
  const connected = await H2Client.connect(options.isTls ? tlsPort : port, options);
  onTestFinished(() => connected.close());
  return connected;
}

function logged(pattern: RegExp): Promise<true | undefined> {
  return poll(() => (pattern.test(proxy.read('access.log')) ? true : undefined), 5000);
}

describe.each([{ isTls: false }, { isTls: true }])('HTTP/2, TLS: $isTls', (how) => {
  test('an answer of our own', async () => {
    const h2 = await client(how);
    const answer = await h2.ask({ ':path': '/text?a=1', cookie: ['a=1', 'b=2'] });
    expect(answer.status).toBe(200);
    expect(answer.body.toString()).toBe(`text of t by ${how.isTls ? 'https' : 'http'} a=1; b=2`);
    expect(fieldOf(answer, 'x-http2')).toBe(how.isTls ? 'h2' : 'h2c');
    expect(fieldOf(answer, 'content-length')).toBe(String(answer.body.length));
    expect(fieldOf(answer, 'connection')).toBeUndefined();
    expect(await logged(new RegExp(`GET /text\\?a=1 HTTP/2.0 200 HTTP/2.0 ${how.isTls ? 'h2' : 'h2c'} `))).toBe(true);
  });

  test('HEAD, 204, a redirect, a page of an error', async () => {
    const h2 = await client(how);
    const head = await h2.ask({ ':method': 'HEAD', ':path': '/text' });
    expect([head.status, head.body.length, head.resetCode]).toEqual([200, 0, 0]);
    expect(fieldOf(head, 'content-length')).toBe(String(`text of t by ${how.isTls ? 'https' : 'http'} `.length));
    const none = await h2.ask('/204');
    expect([none.status, none.body.length, fieldOf(none, 'content-length')]).toEqual([204, 0, undefined]);
    const redirect = await h2.ask('/loc');
    expect([redirect.status, fieldOf(redirect, 'location')]).toEqual([
      302,
      `${how.isTls ? `https://t:${tlsPort}` : `http://t:${port}`}/text`,
    ]);
    const tooLarge = await h2.ask({ ':method': 'POST', ':path': '/small' }, 'x'.repeat(100));
    expect(tooLarge.status).toBe(413);
  });

  test('8 MB come whole, buffered or not, many at once', async () => {
    const h2 = await client(how);
    const paths = ['/down', '/unbuffered/down', '/down', '/unbuffered/down'];
    const answers = await Promise.all(paths.map((path) => h2.ask(path)));
    expect(answers.map((answer) => digest(answer.body))).toEqual(paths.map(() => digest(BIG)));
  });

  test('8 MB go up whole, with a length and without, buffered or not', async () => {
    const h2 = await client(how);
    const up = async (path: string, fields: Record<string, string>): Promise<string> =>
      (await h2.ask({ ':method': 'POST', ':path': path, ...fields }, BIG)).body.toString();
    const length = { 'content-length': String(BIG.length) };
    expect(await up('/up', {})).toBe(`${BIG.length} ${digest(BIG)} -`);
    expect(await up('/up', length)).toBe(`${BIG.length} ${digest(BIG)} -`);
    expect(await up('/unbuffered/up', length)).toBe(`${BIG.length} ${digest(BIG)} -`);
    expect(await up('/unbuffered/up', {})).toBe(`${BIG.length} ${digest(BIG)} chunked`);
  });

  test('trailers pass, early hints too', async () => {
    const h2 = await client(how);
    const answer = await h2.ask('/s/trailers');
    expect([answer.body.toString(), answer.trailers?.['x-sum'], answer.trailers?.['x-two']]).toEqual([
      'hello',
      '1',
      'a',
    ]);
    const hinted = await h2.ask('/s/hints');
    expect(hinted.interim).toMatchObject([{ ':status': 103, link: '</a.css>; rel=preload, </b.js>' }]);
    expect([hinted.status, hinted.body.toString()]).toEqual([200, 'ok']);
  });

  test('bytes above 127 pass in both directions', async () => {
    const h2 = await client(how);
    const answer = await h2.ask({ ':path': '/s/latin1', 'x-bytes': '\xe9\xff\x80' });
    expect(fieldOf(answer, 'x-bytes')).toBe('\xe9\xff\x80');
    expect(answer.body).toEqual(Buffer.from([0xe9]));
    expect(scripted.requests.at(-1)?.headers.find(([name]) => name.toLowerCase() === 'x-bytes')?.[1]).toBe(
      '\xe9\xff\x80',
    );
  });

  test('what HTTP/2 does not know of a peer’s answer is left out', async () => {
    const h2 = await client(how);
    const answer = await h2.ask('/s/twice');
    const names = answer.fields.filter((_, i) => i % 2 === 0);
    expect(names.filter((name) => name === 'set-cookie' || name === 'etag')).toEqual([
      'set-cookie',
      'set-cookie',
      'etag',
      'etag',
    ]);
    expect(names.filter((name) => /upgrade|keep-alive|^te$|odd/.test(name))).toEqual([]);
    expect((await h2.ask('/s/999')).status).toBe(502);
    const reset = await h2.ask('/s/205');
    expect([reset.status, reset.body.length, reset.resetCode]).toEqual([205, 0, 0]);
  });

  test('a peer that breaks off is a reset, and the others go on', async () => {
    const h2 = await client(how);
    const [broken, slow] = await Promise.all([h2.ask('/s/broken'), h2.ask('/s/slow')]);
    expect([broken.status, broken.resetCode]).toEqual([200, 2]);
    expect([slow.body.toString(), slow.resetCode]).toEqual(['half', 0]);
    const silent = await h2.ask('/444');
    expect([silent.status, silent.resetCode]).toEqual([0, 1]);
    expect((await h2.ask('/204')).status).toBe(204);
  });

  test('a client that resets its request is logged as 499, and its peer is free', async () => {
    const h2 = await client(how);
    const before = ended.length;
    const stream = h2.open({ ':path': '/hang', ':authority': 't', 'x-bytes': `tls-${how.isTls}` });
    await poll(() => (ended.length >= before ? true : undefined), 100);
    await sleep(50);
    stream.close(8);
    expect(await poll(() => (ended.slice(before).includes('/hang broken') ? true : undefined), 5000)).toBe(true);
    expect(await logged(new RegExp(`GET /hang HTTP/2.0 499 .*\\[tls-${how.isTls}\\]`))).toBe(true);
    expect((await h2.ask('/204')).status).toBe(204);
  });

  test('a response at limit_rate', async () => {
    const h2 = await client(how);
    expect((await h2.ask('/rate')).body.length).toBe(3000);
  });
});

test('a client that does not read holds its peer, and the worker stays small', async () => {
  const h2 = await client({ windowBytes: 20_000 });
  const [pid = 0] = workerPids(proxy);
  await h2.ask('/down');
  const before = residentBytes(pid);
  const streams = Array.from({ length: 8 }, () => h2.open({ ':path': '/unbuffered/down', ':authority': 't' }));
  for (const stream of streams) stream.pause();
  await sleep(500);
  expect(residentBytes(pid) - before).toBeLessThan(64 * 1024 * 1024);
  const reading = streams.map((stream) => readResponse(stream));
  for (const stream of streams) stream.resume();
  const answers = await Promise.all(reading);
  expect(answers.every((answer) => digest(answer.body) === digest(BIG))).toBe(true);
});

test('a peer that does not read holds the client', async () => {
  const h2 = await client();
  const stream = h2.open({ ':path': '/unbuffered/hang', ':method': 'POST', ':authority': 't' }, false);
  let taken = 0;
  const chunk = Buffer.alloc(64 * 1024);
  const write = (): void => {
    stream.write(chunk, () => {
      taken += chunk.length;
      if (!stream.destroyed && taken < 64 * 1024 * 1024) write();
    });
  };
  write();
  // The window, and what the sockets hold between.
  let seen = -1;
  const isStill = (): true | undefined => {
    const before = seen;
    seen = taken;
    return taken > 0 && before === taken ? true : undefined;
  };
  expect(await poll(isStill, 5000, 300)).toBe(true);
  expect(taken).toBeLessThan(32 * 1024 * 1024);
  // Its reset is seen although nobody reads the body.
  stream.close(0);
  expect(await logged(/POST \/unbuffered\/hang HTTP\/2\.0 400/)).toBe(true);
});

test('HTTP/1.1 goes on at the same port: in pieces, POST, and what only begins like the preface', async () => {
  const say = async (bytes: string): Promise<string> => (await exchange({ port }, bytes)).received;
  expect(await say('POST /text HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')).toMatch(
    /^HTTP\/1.1 200/,
  );
  expect(await say('PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n')).toMatch(/^HTTP\/1.1 (400|505)/);
  expect(await say('PRI /text HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 200/);
});

test('a client whose connection breaks is logged as 499 for each of its requests', async () => {
  const h2 = await client();
  for (const i of [1, 2]) h2.open({ ':path': `/hang?broken=${i}`, ':authority': 't' });
  expect(await poll(() => (hanging.has('/hang?broken=2') ? true : undefined), 5000)).toBe(true);
  h2.session.socket.destroy();
  expect(await logged(/hang\?broken=1 HTTP\/2\.0 499/)).toBe(true);
  expect(await logged(/hang\?broken=2 HTTP\/2\.0 499/)).toBe(true);
});

test('behind a PROXY protocol header, in one piece and in two', async () => {
  const header = 'PROXY TCP4 192.0.2.7 127.0.0.1 1234 80\r\n';
  for (const isSplit of [false, true]) {
    const socket = connect({ port: proxyPort, host: '127.0.0.1' });
    onTestFinished(() => void socket.destroy());
    const frames: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => frames.push(chunk));
    const rest = Buffer.concat([
      PREFACE,
      frame(FRAME.settings, 0, 0),
      frame(FRAME.headers, END_HEADERS | END_STREAM, 1, getFields('/')),
    ]);
    socket.write(Buffer.concat([Buffer.from(header), isSplit ? rest.subarray(0, 7) : rest]));
    if (isSplit) {
      await sleep(20);
      socket.write(rest.subarray(7));
    }
    expect(await poll(() => (Buffer.concat(frames).includes('from 192.0.2.7 h2c') ? true : undefined), 5000)).toBe(
      true,
    );
  }
});

test.each([
  ['a', 'h2'],
  ['b', 'http/1.1'],
  ['other', 'h2'],
])('the server of the name %s chooses %s', async (servername, protocol) => {
  const ALPNProtocols = ['h2', 'http/1.1'];
  const socket = connectTls({
    port: namePort,
    host: '127.0.0.1',
    servername,
    rejectUnauthorized: false,
    ALPNProtocols,
  });
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  expect(socket.alpnProtocol).toBe(protocol);
});

test('gzip', async () => {
  const h2 = await client();
  const answer = await h2.ask({ ':path': '/zipped', 'accept-encoding': 'gzip' });
  expect([answer.status, fieldOf(answer, 'content-encoding')]).toEqual([200, 'gzip']);
  expect(gunzipSync(answer.body).toString()).toBe('z'.repeat(3000));
});

test('a WebSocket by HTTP/1.1 beside HTTP/2 at one TLS port', async () => {
  const socket = connectTls({
    port: tlsPort,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  });
  onTestFinished(() => void socket.destroy());
  let got = '';
  socket.on('data', (chunk) => {
    got += chunk.toString('latin1');
  });
  socket.write('GET /s/ws HTTP/1.1\r\nHost: t\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
  expect(await poll(() => (got.includes('\r\n\r\n') ? true : undefined), 5000)).toBe(true);
  expect(got).toMatch(/^HTTP\/1.1 101/);
  socket.write('ping');
  expect(await poll(() => (got.endsWith('ping') ? true : undefined), 5000)).toBe(true);
});
