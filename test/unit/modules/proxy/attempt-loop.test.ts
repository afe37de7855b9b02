import { describe, expect, test } from 'vitest';
import type { ConnectScript } from '../../../support/fake-upstream.ts';
import { LOGS, Proxied } from './proxied.ts';

const TWO = `${LOGS}
  upstream u { server 127.0.0.1:1; server 127.0.0.1:2; }`;
const conf = (rules = '') => `${TWO} server { listen 80; location / { proxy_pass http://u; ${rules} } }`;

describe('a request that goes well', () => {
  test('is sent with nginx’s fields, and the connection goes back', () => {
    const proxied = new Proxied(conf());
    const { stream } = proxied.ask({
      target: '/a?b',
      fields: ['User-Agent: test', 'Connection: x', 'TE: y', 'X-One: 1'],
    });
    const { last } = proxied.connections;
    expect(last.request).toEqual(['GET /a?b 1.1', 'Host: u', 'User-Agent: test', 'X-One: 1']);
    expect(last.timeouts).toEqual([60_000, 60_000]);
    expect(last.maxHeadBytes).toBe(4096);
    last.respond(200, ['X-A: a'], 'hello');
    expect(stream.status).toBe(200);
    expect(stream.body).toBe('hello');
    expect(stream.end).toBe('ended');
    expect(last.end).toBe('released');
    expect(proxied.active()).toBe(0);
    expect(proxied.accessLog()).toEqual(['200 127.0.0.1:1 200']);
  });

  test('the next one uses the same object and starts afresh', () => {
    const proxied = new Proxied(conf());
    for (const name of ['one', 'two', 'three']) {
      const { stream } = proxied.ask({ target: `/${name}` });
      expect(proxied.connections.last.request[0]).toBe(`GET /${name} 1.1`);
      proxied.connections.last.respond(200, [], name);
      expect(stream.body).toBe(name);
    }
    expect(proxied.accessLog()).toEqual(['200 127.0.0.1:1 200', '200 127.0.0.1:2 200', '200 127.0.0.1:1 200']);
    expect(proxied.active()).toBe(0);
  });
});

interface Case {
  readonly name: string;
  readonly rules?: string;
  readonly method?: string;
  readonly connect?: readonly ConnectScript[];
  /** What the peers do, one after the other: a status, or how they fail. */
  readonly peers: readonly (number | 'close' | 'timeout' | 'invalid')[];
  readonly access: string;
  readonly asked?: readonly string[];
}

const A = '127.0.0.1:1';
const B = '127.0.0.1:2';
const cases: readonly Case[] = [
  { name: 'refused, next', connect: ['refused'], peers: [200], access: `200 ${A}, ${B} 502, 200` },
  { name: 'both refused', connect: ['refused', 'refused'], peers: [], access: `502 ${A}, ${B} 502, 502` },
  { name: 'connect timeout, next', connect: ['timeout'], peers: [200], access: `200 ${A}, ${B} 504, 200` },
  { name: 'both time out', connect: ['timeout', 'timeout'], peers: [], access: `504 ${A}, ${B} 504, 504` },
  { name: 'closes before the head, next', peers: ['close', 200], access: `200 ${A}, ${B} 502, 200` },
  { name: 'silent, next', peers: ['timeout', 200], access: `200 ${A}, ${B} 504, 200` },
  { name: 'silent, POST is not repeated', method: 'POST', peers: ['timeout'], access: `504 ${A} 504` },
  {
    name: 'silent, POST with non_idempotent',
    method: 'POST',
    rules: 'proxy_next_upstream error timeout non_idempotent;',
    peers: ['timeout', 200],
    access: `200 ${A}, ${B} 504, 200`,
  },
  {
    name: 'refused, POST goes on: nothing was sent',
    method: 'POST',
    connect: ['refused'],
    peers: [200],
    access: `200 ${A}, ${B} 502, 200`,
  },
  { name: 'invalid head is no error', peers: ['invalid'], access: `502 ${A} 502` },
  {
    name: 'invalid_header',
    rules: 'proxy_next_upstream invalid_header;',
    peers: ['invalid', 200],
    access: `200 ${A}, ${B} 502, 200`,
  },
  { name: 'off', rules: 'proxy_next_upstream off;', connect: ['refused'], peers: [], access: `502 ${A} 502` },
  { name: 'one try', rules: 'proxy_next_upstream_tries 1;', connect: ['refused'], peers: [], access: `502 ${A} 502` },
  { name: '503 passes', peers: [503], access: `503 ${A} 503` },
  {
    name: 'http_503, next',
    rules: 'proxy_next_upstream http_503;',
    peers: [503, 200],
    access: `200 ${A}, ${B} 503, 200`,
  },
  {
    name: 'http_503, the last answer passes',
    rules: 'proxy_next_upstream http_503;',
    peers: [503, 503],
    access: `503 ${A}, ${B} 503, 503`,
  },
  { name: 'http_404', rules: 'proxy_next_upstream http_404;', peers: [404, 404], access: `404 ${A}, ${B} 404, 404` },
  {
    name: 'http_500, PATCH',
    method: 'PATCH',
    rules: 'proxy_next_upstream http_500;',
    peers: [500],
    access: `500 ${A} 500`,
  },
  {
    name: 'a kept connection that was closed: the same peer again, over a fresh one, not counted',
    connect: ['reused'],
    rules: 'proxy_next_upstream_tries 1;',
    peers: ['close', 200],
    access: `200 ${A}, ${A} 502, 200`,
    asked: [A, `${A} fresh`],
  },
  {
    name: 'a kept connection, POST: it may have been served',
    method: 'POST',
    connect: ['reused'],
    peers: ['close'],
    access: `502 ${A} 502`,
  },
];

describe('attempts', () => {
  for (const { name, rules = '', method = 'GET', connect = [], peers, access, asked } of cases) {
    test(name, () => {
      const proxied = new Proxied(conf(rules), connect);
      const { stream } = proxied.ask({ method });
      for (const does of peers) {
        const { last } = proxied.connections;
        if (typeof does === 'number') last.respond(does, [], `from ${last.peer.addressText}`);
        else if (does === 'close') last.fail('premature-close', 'upstream prematurely closed connection');
        else if (does === 'timeout') last.fail('read-timeout', 'upstream timed out (110: Connection timed out)', 504);
        else last.fail('invalid-response', 'upstream sent invalid header');
      }
      expect(stream.end).toBe('ended');
      expect(proxied.accessLog()).toEqual([access]);
      expect(String(stream.status)).toBe(access.slice(0, 3));
      if (asked !== undefined) expect(proxied.connections.asked).toEqual(asked);
      expect(proxied.active()).toBe(0);
      expect(proxied.connections.leases.filter((lease) => lease.end === 'leased')).toEqual([]);
    });
  }

  test('proxy_next_upstream_timeout bounds them', () => {
    const proxied = new Proxied(conf('proxy_next_upstream_timeout 1ms;'));
    const { stream } = proxied.ask();
    const until = performance.now() + 5;
    while (performance.now() < until);
    proxied.connections.last.fail('premature-close', 'upstream prematurely closed connection');
    expect(stream.status).toBe(502);
    expect(proxied.connections.asked).toEqual([A]);
  });

  test('the last answer passes with its body', () => {
    const proxied = new Proxied(conf('proxy_next_upstream http_503;'));
    const { stream } = proxied.ask();
    proxied.connections.last.respond(503, [], 'first');
    proxied.connections.last.respond(503, [], 'second');
    expect(stream.body).toBe('second');
    expect(proxied.connections.leases.map((lease) => lease.end)).toEqual(['destroyed', 'released']);
  });

  test('no live upstreams', () => {
    const proxied = new Proxied(`${LOGS} upstream u { server 127.0.0.1:1 down; server 127.0.0.1:2 down; }
      server { listen 80; location / { proxy_pass http://u; } }`);
    const { stream } = proxied.ask({ target: '/x' });
    expect(stream.status).toBe(502);
    expect(proxied.accessLog()).toEqual(['502 u 502']);
    expect(proxied.errorLog().at(-1)).toContain(
      '[error] no live upstreams while connecting to upstream, client: 192.0.2.7, server: , request: "GET /x HTTP/1.1", upstream: "http://u/x", host: "example.org"',
    );
  });
});

describe('after the head has gone', () => {
  test('nothing is repeated: the client gets what there is, and a close', () => {
    const proxied = new Proxied(conf());
    const { stream } = proxied.ask();
    const { last } = proxied.connections;
    last.head(200, ['Content-Length: 10'], 10);
    last.data('part');
    last.fail('premature-close', 'upstream prematurely closed connection');
    expect(stream.body).toBe('part');
    expect(stream.end).toBe('aborted');
    expect(proxied.connections.asked).toEqual([A]);
    expect(proxied.accessLog()).toEqual([`200 ${A} 200`]);
    expect(proxied.errorLog().at(-1)).toContain(
      '[error] upstream prematurely closed connection while reading upstream,',
    );
    expect(proxied.active()).toBe(0);
  });

  test('what a slow client has not taken yet still goes out before the close', () => {
    const proxied = new Proxied(conf());
    const { stream } = proxied.ask({ roomBytes: 2 });
    const { last } = proxied.connections;
    last.head(200, ['Content-Length: 10'], 10);
    last.data('part ');
    last.data('two');
    last.fail('read-failed', 'recv() failed (104: Connection reset by peer)');
    expect(stream.end).toBe('open');
    stream.take();
    expect(stream.body).toBe('part two');
    expect(stream.end).toBe('aborted');
  });

  test('the peer is free as soon as its answer is read, however slow the client', () => {
    const proxied = new Proxied(conf());
    const { stream } = proxied.ask({ roomBytes: 0 });
    proxied.connections.last.respond(200, [], 'hello');
    expect(proxied.active()).toBe(0);
    expect(proxied.connections.last.end).toBe('released');
    stream.take();
    expect(stream.body).toBe('hello');
  });
});

describe('the client goes away', () => {
  const stages = [
    { name: 'while connecting', connect: ['pending'] as const, act: () => undefined, status: 499 },
    { name: 'before the head', connect: [], act: () => undefined, status: 499 },
    {
      name: 'in the body',
      connect: [],
      act: (proxied: Proxied) => proxied.connections.last.head(200, ['Content-Length: 9'], 9),
      status: 200,
    },
  ];
  for (const { name, connect, act, status } of stages) {
    test(`${name}: the attempt is given up at once`, () => {
      const proxied = new Proxied(conf(), connect);
      const { stream, ex } = proxied.ask();
      act(proxied);
      ex.content?.onClientAborted();
      expect(stream.end).toBe('aborted');
      expect(proxied.active()).toBe(0);
      if (connect.length > 0) expect(proxied.connections.cancelled).toBe(1);
      else expect(proxied.connections.last.end).toBe('destroyed');
      expect(proxied.accessLog()).toEqual([`${status} ${A} ${status === 499 ? '-' : status}`]);
      expect(proxied.fails()).toEqual([0, 0]);
    });
  }

  test('proxy_ignore_client_abort: the peer is asked to the end', () => {
    const proxied = new Proxied(conf('proxy_ignore_client_abort on;'));
    const { stream, ex } = proxied.ask();
    ex.content?.onClientAborted();
    expect(proxied.connections.last.end).toBe('leased');
    proxied.connections.last.respond(200, [], 'hello');
    expect(stream.end).toBe('ended');
    expect(proxied.connections.last.end).toBe('released');
    expect(proxied.accessLog()).toEqual([`200 ${A} 200`]);
  });
});

describe('bodies', () => {
  test('are read whole before a peer is chosen, and sent again to the next', () => {
    const proxied = new Proxied(conf('proxy_next_upstream http_503 non_idempotent;'));
    const { stream } = proxied.ask({ method: 'POST', length: 6 });
    expect(proxied.connections.asked).toEqual([]);
    stream.bodySink?.onBodyData(Buffer.from('abc'));
    stream.bodySink?.onBodyData(Buffer.from('def'));
    stream.bodySink?.onBodyEnd(null);
    proxied.connections.last.respond(503);
    proxied.connections.last.respond(200);
    expect(proxied.connections.leases.map((lease) => lease.body)).toEqual(['abcdef', 'abcdef']);
    expect(proxied.connections.last.request).toContain('Content-Length: 6');
  });

  test('in chunks, read whole: sent with a length', () => {
    const proxied = new Proxied(conf());
    const { stream } = proxied.ask({ method: 'PUT', length: -1 });
    stream.bodySink?.onBodyData(Buffer.from('abc'));
    stream.bodySink?.onBodyEnd(null);
    expect(proxied.connections.last.request).toContain('Content-Length: 3');
    expect(proxied.connections.last.request.join()).not.toContain('Transfer-Encoding');
  });

  test('too large for memory: from the file, in pieces as the connection takes them', () => {
    const proxied = new Proxied(conf('client_body_buffer_size 4; client_body_temp_path /tmp/evenkeel-test-body;'));
    const { stream } = proxied.ask({ method: 'PUT', length: 10 });
    stream.bodySink?.onBodyData(Buffer.from('0123456789'));
    stream.bodySink?.onBodyEnd(null);
    expect(proxied.connections.last.body).toBe('0123456789');
    expect(proxied.connections.last.isBodyComplete).toBe(true);
  });

  test('unbuffered: back-pressure goes to the client, and no other peer is tried once it was begun', async () => {
    const proxied = new Proxied(conf('proxy_request_buffering off;'));
    const { stream } = proxied.ask({ method: 'PUT', length: -1 });
    const sink = stream.bodySink;
    await Promise.resolve();
    const { last } = proxied.connections;
    expect(last.request).toContain('Transfer-Encoding: chunked');
    sink?.onBodyData(Buffer.from('abc'));
    last.isFull = true;
    sink?.onBodyData(Buffer.from('def'));
    await Promise.resolve();
    expect(stream.isBodyPaused).toBe(true);
    last.writable();
    expect(stream.isBodyPaused).toBe(false);
    last.fail('premature-close', 'upstream prematurely closed connection');
    expect(stream.status).toBe(502);
    expect(proxied.connections.asked).toEqual([A]);
  });

  test('unbuffered, and all of it came with the head: a length, and the next peer may have it too', async () => {
    const proxied = new Proxied(conf('proxy_request_buffering off;'));
    const { stream } = proxied.ask({ method: 'PUT', length: -1 });
    stream.bodySink?.onBodyData(Buffer.from('abc'));
    stream.bodySink?.onBodyEnd(null);
    await Promise.resolve();
    expect(proxied.connections.last.request).toContain('Content-Length: 3');
    proxied.connections.last.fail('premature-close', 'upstream prematurely closed connection');
    proxied.connections.last.respond(200);
    expect(proxied.connections.leases.map((lease) => lease.body)).toEqual(['abc', 'abc']);
  });

  test('unbuffered, the peer answers early: the rest is dropped', async () => {
    const proxied = new Proxied(conf('proxy_request_buffering off;'));
    const { stream } = proxied.ask({ method: 'PUT', length: 100 });
    await Promise.resolve();
    stream.bodySink?.onBodyData(Buffer.from('abc'));
    proxied.connections.last.respond(413);
    expect(stream.status).toBe(413);
    expect(stream.isDiscarding).toBe(true);
    expect(proxied.active()).toBe(0);
  });

  test('proxy_set_body takes the place of the client’s', () => {
    const proxied = new Proxied(conf('proxy_set_body "own $request_method"; proxy_method PUT;'));
    const { stream } = proxied.ask({ method: 'POST', length: 3 });
    stream.bodySink?.onBodyData(Buffer.from('abc'));
    stream.bodySink?.onBodyEnd(null);
    expect(proxied.connections.last.body).toBe('own POST');
    expect(proxied.connections.last.request[0]).toBe('PUT / 1.1');
    expect(proxied.connections.last.request).toContain('Content-Length: 8');
  });

  test('proxy_pass_request_body off: neither body nor length', () => {
    const proxied = new Proxied(conf('proxy_pass_request_body off;'));
    const { stream } = proxied.ask({ method: 'POST', length: 3 });
    expect(proxied.connections.last.request.join()).not.toContain('Content-Length');
    proxied.connections.last.respond(200);
    expect(stream.isDiscarding).toBe(true);
  });
});

describe('X-Accel-…', () => {
  const accel = `${TWO} server { listen 80;
    location / { proxy_pass http://u; }
    location /inner { internal; proxy_pass http://127.0.0.1:3/got; }
    location @named { proxy_pass http://127.0.0.1:4; }
  }`;

  test('Redirect: another location answers, by GET, and both peers are in the log', () => {
    const proxied = new Proxied(accel);
    const { stream, ex } = proxied.ask({ method: 'DELETE' });
    const first = proxied.connections.last;
    first.head(200, ['X-Accel-Redirect: /inner/a%20b?c', 'Set-Cookie: k=v'], 5);
    expect(first.end).toBe('destroyed');
    expect(proxied.connections.last.request[0]).toBe('GET /got/a%20b?c 1.1');
    proxied.connections.last.head(200, [], 2);
    expect(ex.response.get('set-cookie')).toBe('k=v');
    proxied.connections.last.data('ok');
    proxied.connections.last.finish();
    expect(stream.body).toBe('ok');
    expect(proxied.accessLog()).toEqual([`200 ${A} : 127.0.0.1:3 200 : 200`]);
    expect(proxied.active()).toBe(0);
  });

  test('Redirect to a named location', () => {
    const proxied = new Proxied(accel);
    proxied.ask({ target: '/x' });
    proxied.connections.last.respond(200, ['X-Accel-Redirect: @named']);
    expect(proxied.connections.asked).toEqual([A, '127.0.0.1:4']);
    expect(proxied.connections.last.request[0]).toBe('GET /x 1.1');
  });

  test('Redirect, ignored', () => {
    const proxied = new Proxied(conf('proxy_ignore_headers X-Accel-Redirect;'));
    const { stream } = proxied.ask();
    proxied.connections.last.respond(200, ['X-Accel-Redirect: /inner'], 'own');
    expect(stream.body).toBe('own');
  });

  test('Buffering: no makes the peer wait for the client', () => {
    const proxied = new Proxied(conf());
    proxied.ask({ roomBytes: 1 });
    const { last } = proxied.connections;
    last.head(200, ['X-Accel-Buffering: no'], 5);
    last.data('hello');
    expect(last.isPaused).toBe(true);
  });
});

describe('Upgrade', () => {
  const open = () => {
    const proxied = new Proxied(conf('proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;'));
    const { stream, ex } = proxied.ask({ fields: ['Upgrade: echo', 'Connection: Upgrade'], isUpgrade: true });
    const peer = proxied.connections.last;
    expect(peer.request).toEqual(['GET / 1.1', 'Upgrade: echo', 'Connection: upgrade', 'Host: u']);
    peer.head(101, ['Upgrade: echo', 'Connection: Upgrade'], 0);
    return { proxied, stream, ex, peer };
  };

  test('bytes go both ways', () => {
    const { stream, peer } = open();
    expect(stream.status).toBe(101);
    stream.tunnel?.onTunnelData(Buffer.from('ping'));
    peer.tunnel?.onTunnelData(Buffer.from('pong'));
    expect(peer.sentTunnel).toEqual(['ping']);
    expect(stream.sentTunnel).toEqual(['pong']);
  });

  test('back-pressure goes both ways', () => {
    const { stream, peer } = open();
    stream.isTunnelFull = true;
    peer.tunnel?.onTunnelData(Buffer.from('pong'));
    expect(peer.isPaused).toBe(true);
    stream.tunnel?.onTunnelWritable();
    expect(peer.isPaused).toBe(false);
    peer.isFull = true;
    stream.tunnel?.onTunnelData(Buffer.from('ping'));
    expect(stream.isTunnelPaused).toBe(true);
    peer.tunnel?.onTunnelWritable();
    expect(stream.isTunnelPaused).toBe(false);
  });

  test('a FIN is passed on; the other direction goes on until its own', () => {
    const { proxied, stream, peer } = open();
    stream.tunnel?.onTunnelEnd(null);
    expect(peer.tunnelEnd).toBe('ended');
    peer.tunnel?.onTunnelData(Buffer.from('late'));
    expect(stream.sentTunnel).toEqual(['late']);
    expect(stream.end).toBe('open');
    peer.tunnel?.onTunnelEnd(null);
    expect(stream.tunnelEnd).toBe('ended');
    expect(stream.end).toBe('aborted');
    expect(peer.end).toBe('destroyed');
    expect(proxied.active()).toBe(0);
    expect(proxied.accessLog()).toEqual([`101 ${A} 101`]);
  });

  test('the end waits for what a side has not taken yet', () => {
    const { stream, peer } = open();
    peer.isFull = true;
    stream.tunnel?.onTunnelData(Buffer.from('last words'));
    stream.tunnel?.onTunnelEnd(null);
    peer.tunnel?.onTunnelEnd(null);
    expect(peer.end).toBe('leased');
    peer.tunnel?.onTunnelWritable();
    expect(peer.end).toBe('destroyed');
  });

  test('a 101 that nobody asked for is a broken answer', () => {
    const proxied = new Proxied(conf('proxy_next_upstream off;'));
    const { stream } = proxied.ask();
    proxied.connections.last.head(101, ['Upgrade: echo'], 0);
    expect(stream.status).toBe(502);
    expect(proxied.connections.last.end).toBe('destroyed');
    expect(proxied.active()).toBe(0);
  });
});

describe('early hints', () => {
  for (const [rule, expected] of [
    ['early_hints $http_sec_fetch_mode;', [103]],
    ['early_hints 0 "";', []],
    ['', []],
  ] as const) {
    test(rule === '' ? 'not said' : rule, () => {
      const proxied = new Proxied(conf(rule));
      const { stream } = proxied.ask({ fields: ['Sec-Fetch-Mode: navigate'] });
      proxied.connections.last.head(103, ['Link: </a>']);
      proxied.connections.last.head(100);
      proxied.connections.last.respond(200);
      expect(stream.informational).toEqual(expected);
    });
  }
});
