import { createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { workerPids } from '../process/ask.ts';
import { makeCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { residentBytes } from '../support/process-facts.ts';
import { exchange, RawClient } from '../support/raw-client.ts';
import {
  data,
  END_HEADERS,
  END_STREAM,
  type Fields,
  FRAME,
  fieldBlock,
  frame,
  goaway,
  headers,
  OK,
  RawH2Peer,
  type RawH2Script,
  rst,
  settings,
} from '../support/raw-h2-peer.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody';

interface Site {
  readonly proxy: RunningProxy;
  readonly port: number;
  /** The answer's first line and body; '' where the connection ended without one. */
  ask(bytes?: string): Promise<{ status: string; body: string; isComplete: boolean }>;
}

async function site(ports: readonly number[], more = '', location = ''): Promise<Site> {
  const port = await freePort();
  const proxy = await startProxy({
    conf: `error_log error.log info;
events {}
http {
  log_format t '$status $upstream_addr $upstream_status';
  access_log access.log t;
  upstream u { ${ports.map((one) => `server 127.0.0.1:${one} ${more};`).join(' ')} }
  server {
    listen 127.0.0.1:${port};
    proxy_http_version 2;
    proxy_next_upstream_tries ${ports.length};
    location / { proxy_pass http://u; ${location} }
    location /tls { proxy_pass https://u; }
  }
}
`,
  });
  onTestFinished(async () => void (await proxy.stop()));
  return {
    proxy,
    port,
    ask: async (bytes = GET) => {
      const client = await exchange({ port }, bytes);
      const response = client.responses().at(-1);
      return {
        status: response?.startLine ?? '',
        body: response?.body ?? '',
        isComplete: response?.isComplete === true,
      };
    },
  };
}

async function evil(script: RawH2Script): Promise<RawH2Peer> {
  const peer = await RawH2Peer.start(script);
  onTestFinished(() => peer.stop());
  return peer;
}

/** One that always answers. */
const good = (): Promise<RawH2Peer> =>
  evil({ onRequest: (to, id) => to.send(headers(id, OK), data(id, 'good', true)) });

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => void (await new Promise((resolve) => server.close(resolve))));
  return (server.address() as { port: number }).port;
}

/** Title, what the peer does with a request, and the line of the error log. The client gets 502, and the next request an answer. */
type Failure = readonly [title: string, onRequest: NonNullable<RawH2Script['onRequest']>, log: RegExp];

const many = (count: number, one: (i: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => one(i)));
const withStatus = (...more: Fields): Fields => [[':status', '200'], ...more];

const FAILURES: readonly Failure[] = [
  [
    'a reset',
    (to, id) => to.send(rst(id, 2)),
    /upstream rejected request with error 2 \(INTERNAL_ERROR\) while reading response header from upstream/,
  ],
  ['a cancel', (to, id) => to.send(rst(id, 8)), /upstream rejected request with error 8 \(CANCEL\)/],
  [
    'a reset without an error',
    (to, id) => to.send(rst(id, 0)),
    /upstream prematurely closed connection while reading response header/,
  ],
  [
    'a reset that names no known error',
    (to, id) => to.send(rst(id, 0x1234)),
    /upstream rejected request with error 4660 while/,
  ],
  ['goaway with an error', (to) => to.send(goaway(1, 11)), /upstream sent goaway with error 11 \(ENHANCE_YOUR_CALM\)/],
  ['an end', (to) => to.socket.end(), /upstream prematurely closed connection while reading response header/],
  [
    'a connection reset',
    (to) => to.socket.resetAndDestroy(),
    /recv\(\) failed \(104: Connection reset by peer\) while reading response header/,
  ],
  [
    'bytes that are no frame',
    (to) => to.send(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'.repeat(3))),
    /upstream sent invalid HTTP\/2: /,
  ],
  [
    'a name in capitals',
    (to, id) => to.send(headers(id, withStatus(['X-Bad', '1']), END_HEADERS | END_STREAM)),
    /invalid response or reset the stream with error 1 \(PROTOCOL_ERROR\)/,
  ],
  [
    'a Connection field',
    (to, id) => to.send(headers(id, withStatus(['connection', 'close']), END_HEADERS | END_STREAM)),
    /PROTOCOL_ERROR/,
  ],
  [
    'a Transfer-Encoding',
    (to, id) => to.send(headers(id, withStatus(['transfer-encoding', 'chunked']), END_HEADERS | END_STREAM)),
    /PROTOCOL_ERROR/,
  ],
  ['no status', (to, id) => to.send(headers(id, [['x-a', '1']], END_HEADERS | END_STREAM)), /PROTOCOL_ERROR/],
  [
    'two statuses',
    (to, id) => to.send(headers(id, withStatus([':status', '201']), END_HEADERS | END_STREAM)),
    /PROTOCOL_ERROR/,
  ],
  [
    'a status that is none',
    (to, id) => to.send(headers(id, [[':status', 'abc']], END_HEADERS | END_STREAM)),
    /PROTOCOL_ERROR/,
  ],
  ['status 101', (to, id) => to.send(headers(id, [[':status', '101']])), /PROTOCOL_ERROR/],
  [
    'two lengths',
    (to, id) => to.send(headers(id, withStatus(['content-length', '1'], ['content-length', '2']))),
    /PROTOCOL_ERROR|duplicate header line/,
  ],
  [
    'a bad length',
    (to, id) => to.send(headers(id, withStatus(['content-length', 'x']))),
    /PROTOCOL_ERROR|invalid "Content-Length"/,
  ],
  [
    'a head too large',
    (to, id) => to.send(headers(id, withStatus(['x-big', 'x'.repeat(8000)]), END_HEADERS | END_STREAM)),
    /upstream sent too big header while reading response header/,
  ],
  [
    'too many fields',
    (to, id) =>
      to.send(
        headers(
          id,
          withStatus(...Array.from({ length: 600 }, (_, i) => [`x-${i}`, 'v'] as const)),
          END_HEADERS | END_STREAM,
        ),
      ),
    /upstream sent too big header/,
  ],
  [
    'interim answers without end',
    (to, id) =>
      to.send(
        many(200, () =>
          headers(id, [
            [':status', '103'],
            ['link', 'x'.repeat(100)],
          ]),
        ),
      ),
    /upstream sent too big early hints/,
  ],
  [
    'CONTINUATION without end',
    (to, id) => {
      to.send(
        frame(FRAME.headers, 0, id, fieldBlock(OK)),
        many(5000, (i) => frame(FRAME.continuation, 0, id, fieldBlock([[`x-${i}`, 'v']]))),
      );
    },
    /upstream sent invalid HTTP\/2: |too big header|goaway/,
  ],
  [
    'a push',
    (to, id) =>
      to.send(
        frame(
          FRAME.push,
          END_HEADERS,
          id,
          Buffer.concat([Buffer.from([0, 0, 0, 2]), fieldBlock([[':method', 'GET']])]),
        ),
      ),
    /upstream sent invalid HTTP\/2: /,
  ],
  [
    'SETTINGS without end',
    (to) => to.send(many(3000, () => settings([3, 100]))),
    /upstream sent invalid HTTP\/2: more than \d+ SETTINGS and PING frames in a second/,
  ],
  [
    'PING without end',
    (to) => to.send(many(3000, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8)))),
    /upstream sent invalid HTTP\/2: more than \d+ SETTINGS and PING frames in a second/,
  ],
  [
    'empty DATA without end',
    (to, id) => to.send(many(3000, () => data(id, ''))),
    /upstream (sent invalid|rejected|prematurely)/,
  ],
  ['DATA before a head', (to, id) => to.send(data(id, 'x', true)), /upstream sent invalid HTTP\/2: /],
  ['DATA on a stream that nobody opened', (to) => to.send(data(77, 'x', true)), /upstream sent invalid HTTP\/2: /],
  [
    'a window that overflows',
    (to) => to.send(frame(FRAME.window, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))),
    /upstream (sent invalid HTTP\/2|prematurely|sent goaway)/,
  ],
  [
    'a frame too large',
    (to, id) => to.send(frame(FRAME.data, 0, id, Buffer.alloc(20_000))),
    /upstream sent invalid HTTP\/2: /,
  ],
  [
    'compression that is none',
    (to, id) => to.send(frame(FRAME.headers, END_HEADERS, id, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]))),
    /upstream sent invalid HTTP\/2: /,
  ],
];

describe('a peer answers a request with', () => {
  test.each(FAILURES)('%s', async (_title, onRequest, log) => {
    const peer = await evil({
      onRequest: (to, id, count) => {
        if (count === 1) onRequest(to, id, count);
        else to.send(headers(id, OK), data(id, 'good', true));
      },
    });
    const { ask, proxy } = await site([peer.port], '', 'early_hints 1; proxy_buffer_size 4k;');
    const first = await ask();
    expect(first.status).toBe('HTTP/1.1 502 Bad Gateway');
    expect(proxy.errorLog()).toMatch(log);
    expect(await ask()).toEqual({ status: 'HTTP/1.1 200 OK', body: 'good', isComplete: true });
    expect(proxy.errorLog()).not.toMatch(/\[(alert|emerg|crit)\]/);
  });
});

describe('an answer that breaks off', () => {
  const begun = (id: number): Buffer => Buffer.concat([headers(id, OK), data(id, 'part')]);
  const BREAKS: readonly (readonly [title: string, onRequest: NonNullable<RawH2Script['onRequest']>, log: RegExp])[] = [
    [
      'a reset',
      (to, id) => to.send(begun(id), rst(id, 2)),
      /upstream rejected request with error 2 \(INTERNAL_ERROR\) while reading upstream/,
    ],
    [
      'a cancel',
      (to, id) => to.send(begun(id), rst(id, 8)),
      /upstream rejected request with error 8 \(CANCEL\) while reading upstream/,
    ],
    [
      'a reset without an error',
      (to, id) => to.send(begun(id), rst(id, 0)),
      /upstream prematurely closed connection while reading upstream/,
    ],
    ['an end', (to, id) => to.socket.end(begun(id)), /upstream prematurely closed connection while reading upstream/],
    [
      'goaway with an error',
      (to, id) => to.send(begun(id), goaway(id, 2)),
      /upstream sent goaway with error 2 \(INTERNAL_ERROR\) while reading upstream/,
    ],
    [
      'more than its length',
      (to, id) => to.send(headers(id, withStatus(['content-length', '2'])), data(id, 'part', true)),
      /upstream sent invalid HTTP\/2: .* while reading upstream/,
    ],
    [
      'less than its length',
      (to, id) => to.send(headers(id, withStatus(['content-length', '9'])), data(id, 'part', true)),
      /PROTOCOL_ERROR\) while reading upstream/,
    ],
    [
      'less than its length, and a reset without an error',
      (to, id) => to.send(headers(id, withStatus(['content-length', '9'])), data(id, 'part'), rst(id, 0)),
      /upstream prematurely closed connection while reading upstream/,
    ],
    [
      'trailers with a status',
      (to, id) => to.send(begun(id), headers(id, [[':status', '200']], END_HEADERS | END_STREAM)),
      /PROTOCOL_ERROR\) while reading upstream/,
    ],
    [
      'trailers too large',
      (to, id) => to.send(begun(id), headers(id, [['x-big', 'x'.repeat(8000)]], END_HEADERS | END_STREAM)),
      /upstream sent too big trailers while reading upstream/,
    ],
  ];

  test.each(BREAKS)('%s: the client sees that it is not whole', async (_title, onRequest, log) => {
    const peer = await evil({ onRequest });
    const { ask, proxy } = await site([peer.port]);
    const answer = await ask();
    expect(answer.status).toMatch(/ 200 /);
    expect(answer.isComplete).toBe(false);
    expect(proxy.errorLog()).toMatch(log);
    expect(peer.requests).toBe(1);
  });

  test('all that came before the end of the connection reaches even a slow client', async () => {
    const body = 'x'.repeat(60_000);
    const peer = await evil({
      onRequest: (to, id) => {
        const parts = [0, 1, 2, 3].map((i) => data(id, body.slice(i * 15_000, (i + 1) * 15_000), i === 3));
        to.socket.end(Buffer.concat([headers(id, OK), ...parts]));
      },
    });
    const { port } = await site([peer.port], '', 'proxy_buffering off;');
    const client = await RawClient.connect({ port });
    client.socket.pause();
    client.send(GET);
    await expect.poll(() => peer.connections[0]?.socket.writableEnded).toBe(true);
    client.socket.resume();
    await client.untilClosed();
    expect(client.responses()[0]?.body.length).toBe(60_000);
    expect(client.responses()[0]?.isComplete).toBe(true);
  });

  test('a reset without an error behind a whole answer is none of its business', async () => {
    const peer = await evil({
      onRequest: (to, id) => to.send(headers(id, OK), data(id, 'enough', true), rst(id, 0)),
    });
    const { ask, proxy } = await site([peer.port]);
    expect(await ask(POST)).toEqual({ status: 'HTTP/1.1 200 OK', body: 'enough', isComplete: true });
    expect(proxy.errorLog()).not.toMatch(/\[error\]/);
  });
});

describe('repeated elsewhere', () => {
  test('a POST that was refused (REFUSED_STREAM): the peer has done nothing with it', async () => {
    const [refusing, other] = [await evil({ onRequest: (to, id) => to.send(rst(id, 7)) }), await good()];
    const { ask, proxy } = await site([refusing.port, other.port]);
    expect((await ask(POST)).body).toBe('good');
    expect((await ask(POST)).body).toBe('good');
    expect(proxy.errorLog()).toMatch(/upstream rejected request with error 7 \(REFUSED_STREAM\)/);
  });

  test.each([0, 2])('a POST above the last stream of a goaway with error %i', async (code) => {
    const [leaving, other] = [await evil({ onRequest: (to) => to.send(goaway(0, code)) }), await good()];
    const { ask } = await site([leaving.port, other.port]);
    expect((await ask(POST)).body).toBe('good');
  });

  test('a GET that was reset, not a POST', async () => {
    const [bad, other] = [await evil({ onRequest: (to, id) => to.send(rst(id, 2)) }), await good()];
    const { ask } = await site([bad.port, other.port], 'max_fails=0');
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await ask()).status);
    expect(new Set(statuses)).toEqual(new Set(['HTTP/1.1 200 OK']));
    const posts = [];
    for (let i = 0; i < 4; i++) posts.push((await ask(POST)).status);
    expect(posts.filter((status) => status.includes('502')).length).toBe(2);
  });

  test('failures count: max_fails', async () => {
    const [bad, other] = [await evil({ onRequest: (to, id) => to.send(rst(id, 2)) }), await good()];
    const { ask, proxy } = await site([bad.port, other.port], 'fail_timeout=1h');
    for (let i = 0; i < 6; i++) expect((await ask()).body).toBe('good');
    expect(bad.requests).toBe(1);
    expect(proxy.errorLog()).toMatch(/upstream server temporarily disabled/);
  });

  test('on a kept connection that the peer closed meanwhile: a GET goes over a fresh one, a POST fails', async () => {
    const peer = await evil({
      onRequest: (to, id, count) => {
        if (count % 2 === 1) to.send(headers(id, OK), data(id, `${count}`, true));
        else to.socket.destroy();
      },
    });
    const { ask } = await site([peer.port]);
    expect((await ask()).body).toBe('1');
    expect((await ask()).body).toBe('3');
    expect((await ask(POST)).status).toMatch(/ 502 /);
    expect(peer.connections.length).toBe(2);
  });
});

describe('no HTTP/2 there', () => {
  const speaksHttp1 = (): Promise<number> =>
    listening(
      createServer((socket) => {
        socket.on('error', () => undefined); // it is closed in its face
        socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'));
      }),
    );

  test('HTTP/1.1 in the clear', async () => {
    const { ask, proxy } = await site([await speaksHttp1()]);
    expect((await ask(POST)).status).toMatch(/ 502 /);
    expect(proxy.errorLog()).toMatch(/\[error\] .* upstream does not speak HTTP\/2: .* while connecting to upstream/);
  });

  test('a next peer is asked, even for a POST', async () => {
    const [bad, other] = [await speaksHttp1(), await good()];
    const { ask } = await site([bad, other.port]);
    expect((await ask(POST)).body).toBe('good');
  });

  test.each([
    ['no ALPN', {}, /upstream does not speak HTTP\/2: it chose no "h2" by ALPN while SSL handshaking to upstream/],
    [
      'another protocol',
      { ALPNProtocols: ['http/1.1'] },
      /upstream does not speak HTTP\/2: .*no application protocol.* while SSL handshaking to upstream/,
    ],
  ])('TLS with %s', async (_title, options, log) => {
    const { cert, key } = makeCertificate('peer');
    const port = await listening(
      createTlsServer({ cert, key, ...options }, (socket) => socket.on('error', () => undefined)),
    );
    const { port: proxyPort, proxy } = await site([port]);
    const client = await exchange({ port: proxyPort }, GET.replace('/', '/tls'));
    expect(client.responses()[0]?.startLine).toMatch(/ 502 /);
    expect(proxy.errorLog()).toMatch(log);
  });

  test('it closes at once', async () => {
    const port = await listening(createServer((socket) => void socket.resume().end()));
    const { ask, proxy } = await site([port]);
    expect((await ask()).status).toMatch(/ 502 /);
    expect(proxy.errorLog()).toMatch(/upstream prematurely closed connection while connecting to upstream/);
  });

  test('it takes no streams', async () => {
    const peer = await evil({ onConnection: (to) => to.send(settings([3, 0])) });
    const { ask, proxy } = await site([peer.port]);
    expect((await ask()).status).toMatch(/ 502 /);
    expect(proxy.errorLog()).toMatch(/upstream takes no HTTP\/2 streams while connecting to upstream/);
    await expect.poll(() => peer.connections[0]?.socket.destroyed).toBe(true);
  });
});

describe('silence', () => {
  test('no SETTINGS: 504 after proxy_connect_timeout', async () => {
    let isGone = false;
    const port = await listening(createServer((socket) => void socket.resume().on('close', () => (isGone = true))));
    const { ask, proxy } = await site([port], '', 'proxy_connect_timeout 200ms;');
    expect((await ask()).status).toMatch(/ 504 /);
    expect(proxy.errorLog()).toMatch(/upstream timed out \(110: Connection timed out\) while connecting to upstream/);
    await expect.poll(() => isGone).toBe(true);
  });

  test('no answer: 504 after proxy_read_timeout, and the stream is cancelled', async () => {
    const peer = await evil({ onRequest: () => undefined });
    const { ask, proxy } = await site([peer.port], '', 'proxy_read_timeout 200ms;');
    expect((await ask()).status).toMatch(/ 504 /);
    expect(proxy.errorLog()).toMatch(
      /upstream timed out \(110: Connection timed out\) while reading response header from upstream/,
    );
    await expect
      .poll(() => peer.connections[0]?.framesOf(FRAME.rst).map((one) => one.payload.readUInt32BE(0)))
      .toEqual([8]);
  });

  test('an answer that stops', async () => {
    const peer = await evil({ onRequest: (to, id) => to.send(headers(id, OK), data(id, 'part')) });
    const { ask, proxy } = await site([peer.port], '', 'proxy_read_timeout 200ms;');
    expect((await ask()).isComplete).toBe(false);
    expect(proxy.errorLog()).toMatch(/upstream timed out \(110: Connection timed out\) while reading upstream/);
  });

  test('a body that is not taken: 504 after proxy_send_timeout', async () => {
    const peer = await evil({ onRequest: () => undefined });
    const { ask, proxy } = await site([peer.port], '', 'proxy_send_timeout 200ms; proxy_read_timeout 10s;');
    const body = 'x'.repeat(200_000);
    const answer = await ask(
      `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(answer.status).toMatch(/ 504 /);
    expect(proxy.errorLog()).toMatch(
      /upstream timed out \(110: Connection timed out\) while sending request to upstream/,
    );
  });
});

test('an answer in the middle of the body: the rest is not sent, and the connection serves on', async () => {
  const peer = await evil({
    onRequest: (to, id, count) =>
      to.send(headers(id, count === 1 ? [[':status', '413']] : OK, END_HEADERS | END_STREAM)),
  });
  const { ask, proxy } = await site([peer.port]);
  const body = 'x'.repeat(500_000);
  const answer = await ask(
    `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  expect(answer.status).toMatch(/ 413 /);
  expect((await ask()).status).toMatch(/ 200 /);
  expect(peer.connections.length).toBe(1);
  expect(proxy.errorLog()).not.toMatch(/\[(error|crit|alert)\]/);
});

test('one who sends faster than clients read is held back', async () => {
  const chunk = 'x'.repeat(16_000);
  const peer = await evil({
    // As much as the windows allow, which is what an honest peer sends.
    onRequest: (to, id) =>
      to.send(
        headers(id, OK),
        many(8, () => data(id, chunk)),
      ),
  });
  const { port, proxy } = await site([peer.port], '', 'proxy_buffering off;');
  const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect({ port })));
  for (const client of clients) {
    client.socket.pause();
    client.send(GET);
  }
  await expect.poll(() => peer.requests).toBe(50);
  // Nobody reads: what may be in flight of one answer is its window.
  const windows = peer.connections.flatMap((one) => one.framesOf(FRAME.window)).filter((one) => one.streamId > 0);
  const granted = windows.reduce((sum, one) => sum + one.payload.readUInt32BE(0), 0);
  expect(granted).toBeLessThan(50 * 8 * chunk.length);
  expect(residentBytes(workerPids(proxy)[0] ?? 0)).toBeLessThan(400 * 1024 * 1024);
  for (const client of clients) client.close();
});

test('a client that comes and goes costs others nothing, where the peer counts resets', async () => {
  const waiting: (() => void)[] = [];
  let most = 0;
  const peer = await evil({
    onRequest: (to, id, count) => {
      if (count === 1) waiting.push(() => to.send(headers(id, OK), data(id, 'good', true)));
    },
    onFrame: (to, { type }) => {
      if (type !== FRAME.rst) return;
      most = Math.max(most, to.framesOf(FRAME.rst).length);
      if (to.framesOf(FRAME.rst).length > 50) to.send(goaway(0x7fffffff, 11));
    },
  });
  const { ask, port } = await site([peer.port]);
  const patient = ask();
  await expect.poll(() => peer.requests).toBe(1);
  for (let i = 0; i < 120; i++) {
    const client = await RawClient.connect({ port });
    client.send(GET);
    await expect.poll(() => peer.requests, { interval: 1 }).toBe(i + 2);
    client.close();
  }
  expect(peer.connections.length).toBe(6);
  expect(most).toBeLessThanOrEqual(21);
  waiting[0]?.();
  expect((await patient).body).toBe('good');
});

test('a connection whose peer takes no more streams is not used again', async () => {
  const peer = await evil({
    onRequest: (to, id, count) => {
      to.send(headers(id, OK), data(id, String(count), true), ...(count === 1 ? [settings([3, 0])] : []));
    },
  });
  const { ask } = await site([peer.port]);
  expect((await ask()).body).toBe('1');
  await expect.poll(() => peer.connections[0]?.socket.destroyed).toBe(true);
  expect((await ask()).body).toBe('2');
});
