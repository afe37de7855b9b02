import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { RawClient } from '../support/raw-client.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

/** A peer in the test's hands: its connections, one after the other, and what came on each. */
class OpenPeer {
  readonly server: Server;
  connections: { socket: Socket; received: string; hasEnded: boolean; isClosed: boolean }[] = [];

  constructor() {
    this.server = createServer({ allowHalfOpen: true }, (socket) => {
      const connection = { socket, received: '', hasEnded: false, isClosed: false };
      this.connections.push(connection);
      socket.on('error', () => undefined); // the tests break connections
      socket.on('data', (chunk) => {
        connection.received += chunk.toString('latin1');
      });
      socket.on('end', () => {
        connection.hasEnded = true;
      });
      socket.on('close', () => {
        connection.isClosed = true;
      });
    });
  }

  /** Waits until the connection has sent `text`. */
  async until(text: string, index = this.connections.length - 1) {
    const at = await poll(() => {
      const connection = this.connections[Math.max(index, 0)];
      return connection?.received.includes(text) ? connection : undefined;
    }, 5000);
    if (at === undefined)
      throw new Error(`peer never saw ${JSON.stringify(text)}: ${this.connections.map((c) => c.received)}`);
    return at;
  }
}

const peer = new OpenPeer();
let proxy: RunningProxy;
let port = 0;
let client: RawClient;

beforeAll(async () => {
  port = await freePort();
  await new Promise<void>((resolve) => peer.server.listen(0, '127.0.0.1', resolve));
  const to = `http://127.0.0.1:${(peer.server.address() as { port: number }).port}`;
  proxy = await startProxy({
    conf: `error_log error.log info; events {}
      http {
        client_max_body_size 0;
        log_format t '$status $request_uri';
        access_log access.log t;
        server {
          listen 127.0.0.1:${port};
          location / { proxy_pass ${to}; }
          location /stream { proxy_pass ${to}; proxy_request_buffering off; }
          location /trailers { proxy_pass ${to}; proxy_pass_trailers on; }
          location /hints { proxy_pass ${to}; early_hints $http_early; }
          location /tunnel {
            proxy_pass ${to};
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
          }
          location /tunnel/brief { proxy_pass ${to}; proxy_read_timeout 600ms;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }
        }
      }`,
  });
});
afterAll(async () => {
  await proxy.stop();
  for (const { socket } of peer.connections) socket.destroy();
  peer.server.close();
});
beforeEach(async () => {
  for (const { socket } of peer.connections) socket.destroy();
  peer.connections = [];
  client = await RawClient.connect({ port });
});
afterEach(() => client.close());

describe('a response as it comes', () => {
  test('the head goes out alone, each part as it arrives', async () => {
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    const { socket } = await peer.until('\r\n\r\n');
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    expect(await client.untilReceived('\r\n\r\n')).toBe(true);
    socket.write('3\r\none\r\n');
    expect(await client.untilReceived('3\r\none\r\n')).toBe(true);
    socket.write('3\r\ntwo\r\n0\r\n\r\n');
    expect(await client.untilResponses(1)).toBe(true);
    expect(client.responses()[0]?.body).toBe('onetwo');
  });

  for (const [path, trailers] of [
    ['/trailers', [['X-Sum', '1']]],
    ['/', []],
  ] as const) {
    test(`trailers, ${path}`, async () => {
      client.send(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
      const { socket } = await peer.until('\r\n\r\n');
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\nX-Sum: 1\r\n\r\n');
      expect(await client.untilResponses(1)).toBe(true);
      expect(client.responses()[0]).toMatchObject({ body: 'one', trailers });
    });
  }

  test('103 and then the answer', async () => {
    client.send('GET /hints HTTP/1.1\r\nHost: h\r\nEarly: yes\r\n\r\n');
    const { socket } = await peer.until('\r\n\r\n');
    socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
    expect(await client.untilReceived('Link: </a>\r\n\r\n')).toBe(true);
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect(await client.untilResponses(1)).toBe(true);
    expect(client.responses().map(({ startLine }) => startLine)).toEqual([
      'HTTP/1.1 103 Early Hints',
      'HTTP/1.1 200 OK',
    ]);
  });

  test('the client goes away: the peer hears of it at once', async () => {
    client.send('GET /gone HTTP/1.1\r\nHost: h\r\n\r\n');
    const connection = await peer.until('\r\n\r\n');
    client.reset();
    expect(await poll(() => (connection.isClosed || connection.hasEnded ? true : undefined), 2000)).toBe(true);
    expect(await poll(() => (proxy.read('access.log').includes('499 /gone') ? true : undefined), 2000)).toBe(true);
  });
});

describe('a body as it comes', () => {
  test('unbuffered: each part reaches the peer before the next is sent', async () => {
    client.send('PUT /stream HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n');
    await peer.until('Transfer-Encoding: chunked');
    client.send('3\r\none\r\n');
    await peer.until('3\r\none\r\n');
    client.send('3\r\ntwo\r\n0\r\n\r\n');
    const { socket } = await peer.until('3\r\ntwo\r\n0\r\n\r\n');
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect(await client.untilResponses(1)).toBe(true);
  });

  test('unbuffered: a peer that does not read stops the client', async () => {
    const length = 64 * 1024 * 1024;
    client.send(`PUT /stream HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n`);
    const connection = await peer.until('Content-Length');
    connection.socket.pause();
    const part = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 64; i++) client.socket.write(part);
    await sleep(300);
    expect(client.socket.writableLength).toBeGreaterThan(10 * 1024 * 1024);
    connection.received = '';
    connection.socket.removeAllListeners('data');
    let seen = 0;
    connection.socket.on('data', (chunk) => {
      seen += chunk.length;
    });
    connection.socket.resume();
    expect(await poll(() => (seen >= length ? true : undefined), 10_000)).toBe(true);
    connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect(await client.untilResponses(1)).toBe(true);
  });

  test('100-continue: the client is told to go on, the peer sees nothing of it', async () => {
    client.send('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n');
    expect(await client.untilReceived('HTTP/1.1 100 Continue\r\n\r\n')).toBe(true);
    client.send('abc');
    const { socket, received } = await peer.until('abc');
    expect(received).not.toContain('Expect');
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect(await client.untilResponses(1)).toBe(true);
  });

  test('the peer answers before it has read the body: the answer passes, the connection is not used again', async () => {
    client.send('PUT /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc');
    const connection = await peer.until('abc');
    connection.socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno');
    expect(await client.untilResponses(1)).toBe(true);
    expect(await poll(() => (connection.isClosed || connection.hasEnded ? true : undefined), 2000)).toBe(true);
  });
});

describe('a tunnel', () => {
  const open = async (path = '/tunnel', early = '') => {
    client.send(`GET ${path} HTTP/1.1\r\nHost: h\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n${early}`);
    const connection = await peer.until('\r\n\r\n');
    connection.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello');
    expect(await client.untilReceived('\r\n\r\nhello')).toBe(true);
    expect(client.received).toContain('HTTP/1.1 101 Switching Protocols');
    expect(client.received).toContain('Upgrade: echo');
    return connection;
  };

  test('bytes go both ways, those behind the heads first', async () => {
    const connection = await open('/tunnel', 'early ');
    client.send('ping');
    await peer.until('early ping');
    connection.socket.write(' pong');
    expect(await client.untilReceived('hello pong')).toBe(true);
  });

  test('the client’s FIN is passed on, and the peer may still send', async () => {
    const connection = await open();
    client.halfClose();
    expect(await poll(() => (connection.hasEnded ? true : undefined), 2000)).toBe(true);
    connection.socket.end(' bye');
    expect(await client.untilReceived('hello bye')).toBe(true);
    expect(await client.untilClosed(2000)).toBe('closed');
  });

  test('the peer’s FIN is passed on, and the client may still send', async () => {
    const connection = await open();
    connection.socket.end();
    expect(await client.untilClosed(2000)).toBe('closed');
    client.send('last');
    await peer.until('last');
    client.halfClose();
    expect(await poll(() => (connection.isClosed ? true : undefined), 2000)).toBe(true);
  });

  test('a reset of one side ends the other', async () => {
    const connection = await open();
    client.reset();
    expect(await poll(() => (connection.isClosed || connection.hasEnded ? true : undefined), 2000)).toBe(true);
    peer.connections = [];
    client = await RawClient.connect({ port });
    const second = await open();
    second.socket.resetAndDestroy();
    expect(await client.untilClosed(2000)).not.toBe('open');
  });

  test('silence for proxy_read_timeout ends it; traffic of either side prolongs it', async () => {
    const connection = await open('/tunnel/brief');
    for (let i = 0; i < 6; i++) {
      await sleep(200);
      if (i % 2 === 0) client.send('.');
      else connection.socket.write('.');
    }
    expect(client.ending).toBe('open');
    expect(await client.untilClosed(2000)).toBe('closed');
    const line = 'upstream timed out (110: Connection timed out) while proxying upgraded connection';
    expect(await poll(() => (proxy.errorLog().includes(line) ? true : undefined), 2000)).toBe(true);
  });

  test('a slow reader stops the other side', async () => {
    const connection = await open();
    client.socket.pause();
    const part = Buffer.alloc(1024 * 1024, 0x61);
    for (let i = 0; i < 48; i++) connection.socket.write(part);
    await sleep(300);
    expect(connection.socket.writableLength).toBeGreaterThan(10 * 1024 * 1024);
    client.socket.resume();
    const length = 'hello'.length + 48 * part.length;
    expect(await poll(() => (client.rest().length >= length ? true : undefined), 10_000, 20)).toBe(true);
  });
});
