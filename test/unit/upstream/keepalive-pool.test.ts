import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nowMs } from '../../../src/core/clock.ts';
import { Deadlines } from '../../../src/core/deadlines.ts';
import { H1UpstreamConnection } from '../../../src/h1/upstream-connection.ts';
import { UpstreamRequest, type UpstreamResponseSink } from '../../../src/http/upstream-connection.ts';
import { UpstreamResponseHead } from '../../../src/http/upstream-response-head.ts';
import { KeepalivePool } from '../../../src/upstream/keepalive-pool.ts';
import { Peer } from '../../../src/upstream/peer.ts';
import { DEFAULT_KEEPALIVE, DEFAULT_PEER, type KeepaliveConf } from '../../../src/upstream/peer-conf.ts';
import { FakeWire } from '../../support/fake-wire.ts';

const CONF = { ...DEFAULT_PEER, name: 'p' };
const peerAt = (port: number) =>
  new Peer({ ...CONF, name: `p${port}` }, { kind: 'tcp', host: '127.0.0.1', port, family: 4 });
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

/** A pool, and connections that have served one request and come home. */
function poolOf(conf: Partial<KeepaliveConf> = {}) {
  const deadlines = new Deadlines(nowMs);
  const pool = new KeepalivePool({ ...DEFAULT_KEEPALIVE, isLocal: false, ...conf }, deadlines);
  const open = (peer: Peer, owner: object | null = null) => {
    const wire = new FakeWire();
    const connection = new H1UpstreamConnection(wire, pool.home(peer, owner), deadlines);
    serve(connection, wire);
    return { wire, connection };
  };
  return { pool, open };
}

function serve(connection: H1UpstreamConnection, wire: FakeWire): void {
  const request = new UpstreamRequest();
  request.method = 'GET';
  request.target = '/';
  const sink: UpstreamResponseSink = {
    responseHead: new UpstreamResponseHead(),
    onInformational: () => undefined,
    onResponseHead: () => undefined,
    onResponseData: () => undefined,
    onResponsePause: () => undefined,
    onResponseEnd: () => connection.release(),
    onUpstreamError: () => undefined,
    onRequestWritable: () => undefined,
  };
  connection.sendRequest(request, null, true, sink);
  wire.receive(ANSWER);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('idle connections', () => {
  it('are used again last in, first out, each for its own peer', () => {
    const { pool, open } = poolOf();
    const [a, b] = [peerAt(1), peerAt(2)];
    const first = open(a);
    const second = open(a);
    const other = open(b);
    expect(pool.size).toBe(3);
    expect(pool.take(a, null)).toBe(second.connection);
    expect(pool.take(a, null)).toBe(first.connection);
    expect(pool.take(a, null)).toBeNull();
    expect(pool.take(b, null)).toBe(other.connection);
    expect(second.connection.isReused).toBe(true);
    expect(pool.size).toBe(0);
  });

  it('with `local` are used again by the location that opened them only', () => {
    const { pool, open } = poolOf();
    const peer = peerAt(1);
    const [here, there] = [{}, {}];
    const mine = open(peer, here);
    expect(pool.take(peer, there)).toBeNull();
    expect(pool.take(peer, here)).toBe(mine.connection);
  });

  it('beyond `keepalive N` push the oldest out, whosever it is', () => {
    const { pool, open } = poolOf({ maxIdle: 2 });
    const oldest = open(peerAt(1));
    const peer = peerAt(2);
    open(peer);
    open(peer);
    expect(pool.size).toBe(2);
    expect(oldest.wire.isDestroyed).toBe(true);
  });

  it('end when the peer closes, breaks or speaks unasked', () => {
    const { pool, open } = poolOf();
    const peer = peerAt(1);
    open(peer).wire.finish();
    open(peer).wire.break('ECONNRESET');
    open(peer).wire.receive('HTTP/1.1 408 Request Timeout\r\n\r\n');
    expect(pool.size).toBe(0);
    expect(pool.take(peer, null)).toBeNull();
  });

  it('end after keepalive_timeout, and not while they are in use', () => {
    const { pool, open } = poolOf({ idleTimeoutMs: 1000 });
    const peer = peerAt(1);
    const used = open(peer);
    expect(pool.take(peer, null)).toBe(used.connection);
    const idle = open(peer);
    vi.advanceTimersByTime(1100);
    expect(idle.wire.isDestroyed).toBe(true);
    expect(used.wire.isDestroyed).toBe(false);
    expect(pool.size).toBe(0);
  });

  it('are not kept beyond keepalive_requests or keepalive_time', () => {
    const requests = poolOf({ maxRequests: 2 });
    const peer = peerAt(1);
    const { wire } = requests.open(peer);
    const again = requests.pool.take(peer, null) as H1UpstreamConnection;
    serve(again, wire);
    expect(wire.isDestroyed).toBe(true);

    const time = poolOf({ maxAgeMs: 1000, idleTimeoutMs: 0 });
    const old = time.open(peer);
    const taken = time.pool.take(peer, null) as H1UpstreamConnection;
    vi.advanceTimersByTime(1500);
    serve(taken, old.wire);
    expect(old.wire.isDestroyed).toBe(true);
  });

  it('of a peer that left are closed', () => {
    const { pool, open } = poolOf();
    const [gone, stays] = [peerAt(1), peerAt(2)];
    const left = open(gone);
    const kept = open(stays);
    pool.closePeer(gone);
    expect([left.wire.isDestroyed, kept.wire.isDestroyed, pool.size]).toEqual([true, false, 1]);
    pool.closeAll();
    expect([kept.wire.isDestroyed, pool.size]).toEqual([true, 0]);
  });
});
