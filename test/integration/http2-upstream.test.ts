import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http2';
import {
  connect,
  createSecureServer,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { untilLogged } from '../process/ask.ts';
import { makeCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { exchange, RawClient } from '../support/raw-client.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

type OnStream = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  session: ServerHttp2Session,
) => void | Promise<void>;

const PAIR = makeCertificate('peer.test', { names: ['peer.test'] });
const BIG = randomBytes(4 * 1024 * 1024);

class H2Peer {
  readonly server: Http2Server;
  readonly sessions: ServerHttp2Session[] = [];
  readonly seen: IncomingHttpHeaders[] = [];

  constructor(server: Http2Server) {
    this.server = server;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get liveSessions(): number {
    return this.sessions.filter((session) => !session.destroyed).length;
  }
}

async function h2Peer(onStream: OnStream, options: ServerOptions & { isTls?: boolean } = {}): Promise<H2Peer> {
  const { isTls, ...rest } = options;
  const server = isTls === true ? createSecureServer({ ...rest, cert: PAIR.cert, key: PAIR.key }) : createServer(rest);
  const peer = new H2Peer(server as Http2Server);
  server.on('session', (session: ServerHttp2Session) => {
    peer.sessions.push(session);
    session.on('error', () => undefined); // the proxy may go away
  });
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => undefined); // likewise
    peer.seen.push(headers);
    void onStream(stream, headers, stream.session as ServerHttp2Session);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const session of peer.sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return peer;
}

interface Site {
  readonly proxy: RunningProxy;
  readonly port: number;
  ask(head: string, body?: string): Promise<RawClient>;
  get(path?: string, more?: string): Promise<{ status: string; headers: string; body: string }>;
}

async function site(http: string, location: string): Promise<Site> {
  const port = await freePort();
  const proxy = await startProxy({
    conf: `error_log error.log info;
events {}
http {
  log_format t '$status $upstream_addr $upstream_status $upstream_bytes_sent $upstream_bytes_received $upstream_response_length';
  access_log access.log t;
  client_max_body_size 100m;
  proxy_http_version 2;
  ${http}
  server {
    listen 127.0.0.1:${port};
    location / { ${location} }
  }
}
`,
    files: { 'ca.pem': PAIR.cert },
  });
  onTestFinished(async () => void (await proxy.stop()));
  const ask = (head: string, body = ''): Promise<RawClient> =>
    exchange({ port }, `${head}\r\nHost: site.test\r\nConnection: close\r\n\r\n${body}`);
  return {
    proxy,
    port,
    ask,
    get: async (path = '/', more = '') => {
      const client = await ask(`GET ${path} HTTP/1.1${more === '' ? '' : `\r\n${more}`}`);
      const [response] = client.responses();
      return {
        status: response?.startLine ?? '',
        headers: (response?.headers ?? []).map((field) => field.join(': ')).join('\n'),
        body: response?.body ?? '',
      };
    },
  };
}

const toPeer = (peer: { readonly port: number }, more = ''): string =>
  `upstream u { server 127.0.0.1:${peer.port}; ${more} }`;
const PASS = 'proxy_pass http://u;';

test('a request and its answer', async () => {
  const peer = await h2Peer((stream) => {
    stream.respond({ ':status': 201, 'x-one': ['a', 'b'], 'set-cookie': ['c=1', 'd=2'], 'content-type': 'text/x' });
    stream.end('hello');
  });
  const { get, proxy } = await site(toPeer(peer), `${PASS} proxy_set_header X-Set $http_host;`);
  const answer = await get(
    '/a%20b?c',
    'X-Own: \xe4\r\nTE: trailers\r\nKeep-Alive: 5\r\nUpgrade: x\r\nCookie: a=1; b=2',
  );
  expect(answer.status).toBe('HTTP/1.1 201 Created');
  expect(answer.headers).toMatch(/x-one: a\nx-one: b\nset-cookie: c=1\nset-cookie: d=2/i);
  expect(answer.body).toBe('hello');
  // Less the list of fields that are never put into HPACK's table.
  expect(Object.fromEntries(Object.entries(peer.seen[0] ?? {}))).toEqual({
    ':method': 'GET',
    ':path': '/a%20b?c',
    ':scheme': 'http',
    ':authority': 'u',
    'x-set': 'site.test',
    'x-own': '\xe4',
    cookie: 'a=1; b=2',
  });
  expect(proxy.read('access.log')).toMatch(/^201 127\.0\.0\.1:\d+ 201 \d+ \d+ 5\n/);
});

describe('framing', () => {
  test('HEAD, 204 and 304 have no body; a length that HEAD announces is passed on', async () => {
    const peer = await h2Peer((stream, { ':path': path }) => {
      const status = Number(path?.slice(1));
      stream.respond({ ':status': status, 'content-length': status === 200 ? '30' : undefined }, { endStream: true });
    });
    const { get, ask } = await site(toPeer(peer), PASS);
    const head = (await ask('HEAD /200 HTTP/1.1')).received;
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n.*Content-Length: 30\r\n.*\r\n\r\n$/s);
    expect((await get('/204')).status).toBe('HTTP/1.1 204 No Content');
    expect((await get('/304')).status).toBe('HTTP/1.1 304 Not Modified');
  });

  test('trailers go on where they are passed', async () => {
    const peer = await h2Peer((stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '5', 'grpc-status': '0' }));
      stream.end('hello');
    });
    const { ask } = await site(toPeer(peer), `${PASS} proxy_pass_trailers on; proxy_set_header TE $http_te;`);
    const [response] = (await ask('GET / HTTP/1.1\r\nTE: gzip, trailers')).responses();
    expect(response?.body).toBe('hello');
    expect(response?.trailers).toEqual([
      ['x-sum', '5'],
      ['grpc-status', '0'],
    ]);
    expect(peer.seen[0]?.['te']).toBe('trailers');
  });

  test('103 goes on, other interim answers do not', async () => {
    const peer = await h2Peer((stream) => {
      stream.additionalHeaders({ ':status': 102 });
      stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
      stream.respond({ ':status': 200 });
      stream.end('x');
    });
    const { ask } = await site(toPeer(peer), `${PASS} early_hints 1;`);
    expect((await ask('GET / HTTP/1.1')).received).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>\r\n\r\nHTTP\/1\.1 200 OK/i,
    );
  });

  test.each(['', 'proxy_request_buffering off;'])('bodies of requests, large and small %s', async (more) => {
    const peer = await h2Peer((stream, headers) => {
      const hash = createHash('sha1');
      stream.on('data', (chunk) => hash.update(chunk));
      stream.on('end', () => {
        stream.respond({ ':status': 200 });
        stream.end(`${headers['content-length']} ${headers['transfer-encoding']} ${hash.digest('hex')}`);
      });
    });
    const { ask } = await site(toPeer(peer), PASS + more);
    const sha = (bytes: string | Buffer): string => createHash('sha1').update(bytes).digest('hex');
    const post = async (head: string, body: string) =>
      (await ask(`POST / HTTP/1.1\r\n${head}`, body)).responses()[0]?.body;
    expect(await post('Content-Length: 5', 'hello')).toBe(`5 undefined ${sha('hello')}`);
    expect(await post('Content-Length: 0', '')).toBe(`0 undefined ${sha('')}`);
    const big = BIG.toString('latin1');
    expect(await post(`Content-Length: ${big.length}`, big)).toBe(`${big.length} undefined ${sha(BIG)}`);
    const chunked = await post('Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n');
    expect(chunked).toMatch(new RegExp(`^(5|undefined) undefined ${sha('hello')}$`));
  });

  test.each(['', 'proxy_buffering off;'])('a large answer to a slow client is held back %s', async (more) => {
    const peer = await h2Peer((stream) => {
      stream.respond({ ':status': 200, 'content-length': String(BIG.length) });
      stream.end(BIG);
    });
    const { port } = await site(toPeer(peer), `${PASS} proxy_max_temp_file_size 0; ${more}`);
    const client = await RawClient.connect({ port });
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await expect.poll(() => peer.seen.length).toBe(1);
    client.socket.resume();
    await client.untilClosed(10_000);
    expect(
      createHash('sha1')
        .update(client.responses()[0]?.body ?? '', 'latin1')
        .digest('hex'),
    ).toBe(createHash('sha1').update(BIG).digest('hex'));
  });

  test('parts go on as they come', async () => {
    const parts: (() => void)[] = [];
    const peer = await h2Peer((stream) => {
      stream.respond({ ':status': 200 });
      parts.push(
        () => stream.write('one'),
        () => stream.end('two'),
      );
    });
    const { port } = await site(toPeer(peer), `${PASS} proxy_buffering off;`);
    const client = await RawClient.connect({ port });
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.untilReceived('\r\n\r\n');
    parts[0]?.();
    await client.untilReceived('one');
    expect(client.received).not.toContain('two');
    parts[1]?.();
    await client.untilClosed(5000);
    expect(client.responses()[0]?.body).toBe('onetwo');
  });
});

test('fields that HTTP/2 knows only once go on as often as they came', async () => {
  const peer = await h2Peer((stream) => {
    stream.respond({ ':status': 200 });
    stream.end('x');
  });
  peer.server.on('stream', (_stream, _headers, _flags, raw: string[]) => {
    expect(raw.join(' ')).toContain('content-type a content-type b');
  });
  const { get } = await site(toPeer(peer), PASS);
  expect((await get('/', 'Content-Type: a\r\nContent-Type: b')).body).toBe('x');
});

test('a head that is larger than peers take is refused here, and harms nobody', async () => {
  const held: (() => void)[] = [];
  const peer = await h2Peer((stream) => {
    stream.respond({ ':status': 200 });
    held.push(() => stream.end('x'));
  });
  const { get, proxy } = await site(`${toPeer(peer)} large_client_header_buffers 4 128k;`, PASS);
  const other = get();
  await expect.poll(() => held.length).toBe(1);
  expect((await get('/', `X-Big: ${'x'.repeat(100_000)}`)).status).toMatch(/ 500 /);
  expect(proxy.errorLog()).toMatch(/request cannot be sent by HTTP\/2: its head is larger than 64 KiB/);
  held[0]?.();
  expect((await other).body).toBe('x');
});

describe('connections', () => {
  const echo = (stream: ServerHttp2Stream, { ':path': path }: IncomingHttpHeaders): void => {
    stream.respond({ ':status': 200 });
    stream.end(path);
  };

  test('one for all requests, those at once and those one after the other', async () => {
    const { promise: go, resolve } = Promise.withResolvers<void>();
    const peer = await h2Peer(async (stream, headers, _session) => {
      if (headers[':path'] !== '/after') await go;
      echo(stream, headers);
    });
    const { get } = await site(toPeer(peer), PASS);
    const all = Array.from({ length: 30 }, (_, i) => get(`/${i}`));
    await expect.poll(() => peer.seen.length).toBe(30);
    resolve();
    expect((await Promise.all(all)).map((answer) => answer.body)).toEqual(all.map((_, i) => `/${i}`));
    expect((await get('/after')).body).toBe('/after');
    expect(peer.sessions.length).toBe(1);
  });

  test('more where the peer allows no more at once', async () => {
    const { promise: go, resolve } = Promise.withResolvers<void>();
    const peer = await h2Peer(
      async (stream, headers) => {
        await go;
        echo(stream, headers);
      },
      { settings: { maxConcurrentStreams: 3 } },
    );
    const { get } = await site(toPeer(peer), PASS);
    const all = Array.from({ length: 10 }, (_, i) => get(`/${i}`));
    await expect.poll(() => peer.seen.length).toBe(10);
    resolve();
    expect((await Promise.all(all)).map((answer) => answer.status)).toEqual(all.map(() => 'HTTP/1.1 200 OK'));
    expect(peer.sessions.length).toBe(4);
  });

  test('keepalive 0: one for each request', async () => {
    const peer = await h2Peer(echo);
    const { get } = await site(toPeer(peer, 'keepalive 0;'), PASS);
    await get('/1');
    await get('/2');
    expect(peer.sessions.length).toBe(2);
    await expect.poll(() => peer.liveSessions).toBe(0);
  });

  test('keepalive_requests', async () => {
    const peer = await h2Peer(echo);
    const { get } = await site(toPeer(peer, 'keepalive 4; keepalive_requests 2;'), PASS);
    for (let i = 0; i < 5; i++) expect((await get(`/${i}`)).body).toBe(`/${i}`);
    expect(peer.sessions.length).toBe(3);
  });

  test('keepalive_timeout', async () => {
    const peer = await h2Peer(echo);
    const { get } = await site(toPeer(peer, 'keepalive_timeout 50ms;'), PASS);
    await get('/1');
    await expect.poll(() => peer.liveSessions).toBe(0);
    expect((await get('/2')).body).toBe('/2');
  });

  test('the same peer by HTTP/1.1 and by HTTP/2 has different connections', async () => {
    const peer = await h2Peer(echo);
    const { get, port } = await site(toPeer(peer), `${PASS} } location /one { proxy_http_version 1.1; ${PASS}`);
    expect((await get('/a')).body).toBe('/a');
    expect(
      (await exchange({ port }, 'GET /one HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).responses()[0]?.startLine,
    ).toMatch(/ 502 /);
    expect((await get('/b')).body).toBe('/b');
    expect(peer.seen.length).toBe(2);
  });

  test('after GOAWAY what runs is finished, and the next request has another one', async () => {
    const { promise: go, resolve } = Promise.withResolvers<void>();
    const peer = await h2Peer(async (stream, headers, session) => {
      if (headers[':path'] === '/old') {
        session.goaway(0, Number(stream.id));
        await go;
      }
      echo(stream, headers);
    });
    const { get } = await site(toPeer(peer), PASS);
    const old = get('/old');
    await expect.poll(() => peer.seen.length).toBe(1);
    expect((await get('/new')).body).toBe('/new');
    expect(peer.sessions.length).toBe(2);
    resolve();
    expect((await old).body).toBe('/old');
  });

  test('an idle one that the peer has closed is not used again', async () => {
    const peer = await h2Peer(echo);
    const { get } = await site(toPeer(peer), PASS);
    await get('/1');
    peer.sessions[0]?.close();
    await expect.poll(() => peer.liveSessions).toBe(0);
    expect((await get('/2')).body).toBe('/2');
  });

  test('a client that leaves ends its own stream, and no other', async () => {
    const { promise: go, resolve } = Promise.withResolvers<void>();
    const codes: number[] = [];
    const peer = await h2Peer(async (stream, headers, _session) => {
      stream.on('close', () => codes.push(stream.rstCode));
      await go;
      if (!stream.destroyed) echo(stream, headers);
    });
    const { get, port, proxy } = await site(toPeer(peer), PASS);
    const other = get('/other');
    const client = await RawClient.connect({ port });
    client.send('GET /gone HTTP/1.1\r\nHost: a\r\n\r\n');
    await expect.poll(() => peer.seen.length).toBe(2);
    client.close();
    await expect.poll(() => codes).toEqual([8]);
    resolve();
    expect((await other).body).toBe('/other');
    expect(peer.sessions.length).toBe(1);
    expect(await untilLogged(proxy, /client prematurely closed connection, so upstream connection is closed too/)).toBe(
      true,
    );
  });
});

describe('TLS', () => {
  test('by ALPN, verified', async () => {
    const peer = await h2Peer(
      (stream) => {
        stream.respond({ ':status': 200 });
        stream.end(String(stream.session?.alpnProtocol));
      },
      { isTls: true },
    );
    const verify = 'proxy_ssl_verify on; proxy_ssl_trusted_certificate ca.pem; proxy_ssl_name peer.test;';
    const { get } = await site(toPeer(peer), `proxy_pass https://u; ${verify}`);
    expect((await get()).body).toBe('h2');
    expect((await get()).body).toBe('h2');
    expect(peer.sessions.length).toBe(1);
    expect(peer.seen[0]?.[':scheme']).toBe('https');
  });

  test('a certificate that is wrong', async () => {
    const peer = await h2Peer(() => undefined, { isTls: true });
    const verify = 'proxy_ssl_verify on; proxy_ssl_trusted_certificate ca.pem; proxy_ssl_name other.test;';
    const { get, proxy } = await site(toPeer(peer), `proxy_pass https://u; ${verify}`);
    expect((await get()).status).toMatch(/ 502 /);
    expect(proxy.errorLog()).toMatch(
      /upstream SSL certificate does not match "other\.test" while SSL handshaking to upstream/,
    );
  });
});

test('both directions at once: an answer that follows the body as it comes', async () => {
  const peer = await h2Peer((stream) => {
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
  });
  const { port } = await site(toPeer(peer), `${PASS} proxy_request_buffering off; proxy_buffering off;`);
  const client = await RawClient.connect({ port });
  client.send('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
  expect(await client.untilReceived('one')).toBe(true);
  client.send('3\r\ntwo\r\n');
  expect(await client.untilReceived('two')).toBe(true);
  client.send('0\r\n\r\n');
  await client.untilClosed();
  expect(client.responses()[0]).toMatchObject({ body: 'onetwo', isComplete: true });
});

test('a reload keeps connections, idle ones and those in use; QUIT closes the idle ones', async () => {
  const held: (() => void)[] = [];
  const peer = await h2Peer((stream, { ':path': path }) => {
    stream.respond({ ':status': 200 });
    if (path === '/long') held.push(() => stream.end(path));
    else stream.end(path);
  });
  const { get, proxy } = await site(toPeer(peer), PASS);
  await get('/1');
  const long = get('/long');
  await expect.poll(() => held.length).toBe(1);
  proxy.signal('SIGHUP');
  expect(await untilLogged(proxy, /reconfiguring/)).toBe(true);
  await expect.poll(async () => (await get('/2')).body).toBe('/2');
  held[0]?.();
  expect((await long).body).toBe('/long');
  expect((await get('/3')).body).toBe('/3');
  expect(peer.sessions.length).toBe(1);
  expect((await proxy.stop('SIGQUIT')).code).toBe(0);
  await expect.poll(() => peer.liveSessions).toBe(0);
});

test('over a unix socket', async () => {
  const { port, proxy } = await site('', 'proxy_pass http://unix:$document_root/peer.sock:/;');
  const peer = await h2Peer((stream) => {
    stream.respond({ ':status': 200 });
    stream.end('by unix');
  });
  const path = `${proxy.prefix}/html/peer.sock`;
  mkdirSync(`${proxy.prefix}/html`, { recursive: true });
  await new Promise<void>((resolve) => peer.server.close(() => resolve()));
  await new Promise<void>((resolve) => peer.server.listen(path, resolve));
  const client = await exchange({ port }, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(client.responses()[0]?.body).toBe('by unix');
  expect(peer.seen[0]?.[':authority']).toBe('localhost');
});

test('HTTP/2 on both sides: a conversation with trailers at its end', async () => {
  const peer = await h2Peer((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/x' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-status': '0' }));
    stream.pipe(stream);
  });
  const { port } = await site(
    `${toPeer(peer)} http2 on;`,
    `${PASS} proxy_request_buffering off; proxy_buffering off; proxy_pass_trailers on; proxy_set_header TE $http_te;`,
  );
  const session = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  const stream = session.request({ ':method': 'POST', ':path': '/talk', te: 'trailers' });
  const heard: string[] = [];
  stream.setEncoding('latin1').on('data', (text: string) => heard.push(text));
  const trailers = new Promise((resolve) => stream.once('trailers', resolve));
  for (const word of ['one', 'two', 'three']) {
    stream.write(word);
    await expect.poll(() => heard.join('')).toContain(word);
  }
  stream.end();
  expect(await trailers).toMatchObject({ 'x-status': '0' });
  expect(peer.seen[0]?.['te']).toBe('trailers');
});
