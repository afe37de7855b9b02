import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nowMs } from '../../../src/core/clock.ts';
import { Deadlines } from '../../../src/core/deadlines.ts';
import type { ProxyError } from '../../../src/core/errors.ts';
import { H1Server } from '../../../src/h1/h1-server.ts';
import type { TunnelEnd } from '../../../src/http/client-stream.ts';
import type { ContentState, Exchange } from '../../../src/http/exchange.ts';
import { type CoreSettings, DONE, type PhaseResult, type ServerSettings } from '../../../src/http/location.ts';
import { sendWhole } from '../../../src/http/send-response.ts';
import { ACTIVE, Counters, READING, REQUESTS, WAITING, WRITING } from '../../../src/observe/counters.ts';
import { FakeWire } from '../../support/fake-wire.ts';
import { plainSite } from '../../support/plain-site.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** One connection whose requests are answered by `handler`. */
function connected(
  handler: (ex: Exchange) => void,
  core: Partial<CoreSettings> = {},
  settings: Partial<ServerSettings> = {},
) {
  const site = plainSite(
    (ex): PhaseResult => {
      handler(ex);
      return DONE;
    },
    core,
    settings,
  );
  const counters = new Counters();
  const flushLogs = vi.fn();
  const server = new H1Server({ deadlines: new Deadlines(nowMs), counters, flushLogs });
  const wire = new FakeWire();
  server.accept(wire, () => site.group);
  const gauges = () => ({
    active: counters.values[ACTIVE],
    reading: counters.values[READING],
    writing: counters.values[WRITING],
    waiting: counters.values[WAITING],
  });
  return { ...site, server, wire, counters, gauges, flushLogs };
}

function answer(ex: Exchange, body = 'ok'): void {
  ex.response.status = 200;
  sendWhole(ex, Buffer.from(body));
}

/** A content handler that waits to be told. */
function held() {
  const state = { ex: null as Exchange | null, aborted: 0, writable: 0 };
  const content: ContentState = {
    onClientAborted: () => {
      state.aborted++;
    },
    onWritable: () => {
      state.writable++;
    },
  };
  return {
    state,
    handler: (ex: Exchange) => {
      state.ex = ex;
      ex.content = content;
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a client connection', () => {
  it('answers head and body in one write', () => {
    const { wire, ended } = connected((ex) => answer(ex));
    wire.receive(GET);
    expect(wire.writes).toBe(1);
    expect(wire.written).toMatch(/^HTTP\/1\.1 200 OK\r\nServer: nginx\/[\d.]+\r\nDate: .*GMT\r\n/);
    expect(wire.written).toMatch(/\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok$/);
    expect(ended).toEqual([200]);
  });

  it('counts what it does as stub_status has it', () => {
    const { handler, state } = held();
    const { wire, gauges, counters } = connected(handler);
    expect(gauges()).toEqual({ active: 1, reading: 0, writing: 0, waiting: 1 });
    wire.receive('GET / HT');
    expect(gauges()).toEqual({ active: 1, reading: 1, writing: 0, waiting: 0 });
    wire.receive('TP/1.1\r\nHost: a\r\n\r\n');
    expect(gauges()).toEqual({ active: 1, reading: 0, writing: 1, waiting: 0 });
    answer(state.ex as Exchange);
    expect(gauges()).toEqual({ active: 1, reading: 0, writing: 0, waiting: 1 });
    expect(counters.values[REQUESTS]).toBe(1);
    wire.finish();
    expect(gauges()).toEqual({ active: 0, reading: 0, writing: 0, waiting: 0 });
  });

  it('sends a body of unknown length in chunks, and closes for HTTP/1.0', () => {
    const stream = (ex: Exchange) => {
      ex.response.status = 200;
      ex.stream.sendHead(ex);
      ex.stream.sendBody(Buffer.from('one'));
      ex.stream.sendBody(Buffer.from('twotwotwotwotwotwo'));
      ex.stream.endBody(null);
    };
    const modern = connected(stream);
    modern.wire.receive(GET);
    expect(modern.wire.written).toContain('Transfer-Encoding: chunked\r\n');
    expect(modern.wire.written).toMatch(/\r\n\r\n3\r\none\r\n12\r\ntwotwotwotwotwotwo\r\n0\r\n\r\n$/);
    expect(modern.wire.writes).toBe(1);
    const old = connected(stream);
    old.wire.receive('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    expect(old.wire.written).toMatch(/Connection: close\r\n\r\nonetwotwotwotwotwotwo$/);
    expect(old.wire.isDestroyed).toBe(true);
  });

  it('sends no body to HEAD', () => {
    const { wire } = connected((ex) => answer(ex));
    wire.receive('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(wire.written).toMatch(/Content-Length: 2\r\nConnection: keep-alive\r\n\r\n$/);
  });

  it('never sends more than Content-Length said, and closes when there was less', () => {
    const { wire } = connected((ex) => {
      ex.response.status = 200;
      ex.response.contentLength = 4;
      ex.stream.sendHead(ex);
      ex.stream.sendBody(Buffer.from('too long'));
      ex.stream.endBody(null);
    });
    wire.receive(GET);
    expect(wire.written).toMatch(/\r\n\r\ntoo $/);
    expect(wire.isDestroyed).toBe(false);
    const short = connected((ex) => {
      ex.response.status = 200;
      ex.response.contentLength = 4;
      ex.stream.sendHead(ex);
      ex.stream.sendBody(Buffer.from('no'));
      ex.stream.endBody(null);
    });
    short.wire.receive(GET);
    expect(short.wire.isDestroyed).toBe(true);
    expect(short.ended).toEqual([200]);
  });

  it('logs before it closes', () => {
    const { wire, flushLogs, ended } = connected((ex) => answer(ex));
    wire.receive('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(ended).toEqual([200]);
    expect(flushLogs).toHaveBeenCalled();
    expect(wire.isDestroyed).toBe(true);
  });

  describe('waits no longer than it should', () => {
    it('for the first byte of a request', () => {
      const { wire, ended } = connected((ex) => answer(ex));
      vi.advanceTimersByTime(59_000);
      expect(wire.isDestroyed).toBe(false);
      vi.advanceTimersByTime(2000);
      expect(wire.isDestroyed).toBe(true);
      expect(ended).toEqual([]);
    });

    it('for a whole head, however slowly it trickles: 408 in the log', () => {
      const { wire, ended, log } = connected((ex) => answer(ex));
      wire.receive('G');
      for (let i = 0; i < 5; i++) {
        vi.advanceTimersByTime(11_000);
        wire.receive('E');
      }
      vi.advanceTimersByTime(6000);
      expect(wire.isDestroyed).toBe(true);
      expect(wire.written).toBe('');
      expect(ended).toEqual([408]);
      expect(log).toEqual(['client timed out (110: Connection timed out) while reading client request line']);
    });

    it('for the next request', () => {
      const { wire } = connected((ex) => answer(ex), { keepaliveTimeoutMs: 5000 });
      wire.receive(GET);
      vi.advanceTimersByTime(4000);
      wire.receive(GET);
      vi.advanceTimersByTime(4000);
      expect(wire.isDestroyed).toBe(false);
      vi.advanceTimersByTime(2000);
      expect(wire.isDestroyed).toBe(true);
    });

    it('for the request body', () => {
      let failure: ProxyError | null = null;
      const { wire, ended } = connected((ex) => {
        ex.stream.readBody(
          {
            onBodyData: () => undefined,
            onBodyEnd: () => undefined,
            onBodyError: (error) => {
              failure = error;
              ex.response.status = error.status;
              ex.stream.abort();
            },
          },
          0,
        );
      });
      wire.receive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
      vi.advanceTimersByTime(50_000);
      wire.receive('d');
      vi.advanceTimersByTime(50_000);
      expect(failure).toBeNull();
      vi.advanceTimersByTime(20_000);
      expect(failure).toMatchObject({ code: 'client-timeout', status: 408 });
      expect(ended).toEqual([408]);
    });

    it('for a client that does not read its response', () => {
      const { wire, ended, log } = connected((ex) => answer(ex, 'x'.repeat(100_000)));
      wire.isStuck = true;
      wire.receive(GET);
      expect(ended).toEqual([]);
      vi.advanceTimersByTime(61_000);
      expect(wire.isDestroyed).toBe(true);
      expect(ended).toEqual([200]);
      expect(log).toEqual(['client timed out (110: Connection timed out) while sending to client']);
    });

    it('and resets such a client when told to', () => {
      const { wire } = connected((ex) => answer(ex, 'x'.repeat(100_000)), { resetTimedoutConnection: true });
      wire.isStuck = true;
      wire.receive(GET);
      vi.advanceTimersByTime(61_000);
      expect(wire.isReset).toBe(true);
    });
  });

  describe('reads bodies', () => {
    it('that nobody asked for away, then takes the next request', () => {
      const { wire, ended } = connected((ex) => answer(ex));
      wire.receive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
      expect(ended).toEqual([200]);
      wire.receive(`defghij${GET}`);
      expect(ended).toEqual([200, 200]);
      expect(wire.isDestroyed).toBe(false);
    });

    it('away no longer than lingering_timeout', () => {
      const { wire } = connected((ex) => answer(ex));
      wire.receive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
      vi.advanceTimersByTime(6000);
      expect(wire.isDestroyed).toBe(true);
    });

    it('lingers when it closes on a client that still sends', () => {
      const { wire } = connected((ex) => {
        ex.keepAlive = false;
        answer(ex);
      });
      wire.receive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
      expect(wire.isEnded).toBe(true);
      expect(wire.isDestroyed).toBe(false);
      for (let i = 0; i < 8; i++) {
        wire.receive('d');
        vi.advanceTimersByTime(4000);
      }
      expect(wire.isDestroyed).toBe(true);
    });

    it('says 100 Continue when the body is wanted, and only then', () => {
      const wanted = connected((ex) => {
        ex.stream.readBody(
          { onBodyData: () => undefined, onBodyEnd: () => answer(ex), onBodyError: () => undefined },
          0,
        );
      });
      const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n';
      wanted.wire.receive(head);
      expect(wanted.wire.written).toBe('HTTP/1.1 100 Continue\r\n\r\n');
      wanted.wire.receive('abc');
      expect(wanted.wire.written).toMatch(/HTTP\/1\.1 200 OK/);
      expect(wanted.wire.isDestroyed).toBe(false);
      const unwanted = connected((ex) => answer(ex));
      unwanted.wire.receive(head);
      expect(unwanted.wire.written).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*Connection: close/);
    });

    it('bounds a chunked one', () => {
      let failure: ProxyError | null = null;
      const { wire } = connected((ex) => {
        ex.stream.readBody(
          {
            onBodyData: () => undefined,
            onBodyEnd: () => undefined,
            onBodyError: (error) => {
              failure = error;
              ex.response.status = error.status;
              ex.stream.abort();
            },
          },
          4,
        );
      });
      wire.receive('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n');
      expect(failure).toMatchObject({ code: 'body-too-large', status: 413 });
    });

    it('pauses the client while the sink does', () => {
      const chunks: string[] = [];
      let ex: Exchange | null = null;
      const { wire } = connected((exchange) => {
        ex = exchange;
        exchange.stream.readBody(
          {
            onBodyData: (chunk) => {
              chunks.push(chunk.toString());
              exchange.stream.pauseBody();
            },
            onBodyEnd: () => chunks.push('end'),
            onBodyError: () => undefined,
          },
          0,
        );
      });
      wire.receive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
      expect(wire.isPaused).toBe(true);
      wire.receive('def');
      expect(chunks).toEqual(['abc']);
      (ex as Exchange | null)?.stream.resumeBody();
      expect(chunks).toEqual(['abc', 'def', 'end']);
    });
  });

  describe('whose client goes away', () => {
    it('tells the content handler at once', () => {
      const { handler, state } = held();
      const { wire } = connected(handler);
      wire.receive(GET);
      wire.finish();
      expect(state.aborted).toBe(1);
    });

    it('forgets it when the exchange ends, not before', () => {
      const { handler, state } = held();
      const { wire, ended } = connected(handler);
      wire.receive(GET);
      wire.break('ECONNRESET');
      expect(state.aborted).toBe(1);
      expect(ended).toEqual([]);
      answer(state.ex as Exchange);
      expect(ended).toEqual([200]);
    });

    it('within a head is logged with 400', () => {
      const { wire, ended } = connected((ex) => answer(ex));
      wire.receive('GET / HTTP/1.1\r\nHo');
      wire.finish();
      expect(ended).toEqual([400]);
      expect(wire.written).toBe('');
    });
  });

  describe('with a slow client', () => {
    it('waits for room, then says so once', () => {
      const { handler, state } = held();
      const { wire } = connected(handler);
      wire.receive(GET);
      const ex = state.ex as Exchange;
      ex.response.status = 200;
      ex.stream.sendHead(ex);
      wire.isStuck = true;
      expect(ex.stream.flush()).toBe(false);
      expect(ex.stream.sendBody(Buffer.from('abc'))).toBe(false);
      expect(state.writable).toBe(0);
      wire.drain();
      expect(state.writable).toBe(1);
      ex.stream.endBody(null);
      expect(wire.written).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/);
    });

    it('keeps a bounded number of pipelined bytes', () => {
      const { handler } = held();
      const { wire } = connected(handler);
      wire.receive(GET);
      wire.receive(GET.repeat(3000));
      expect(wire.isPaused).toBe(true);
    });
  });

  describe('with a large head', () => {
    const status = (wire: FakeWire) => wire.written.slice(9, 12);
    const page = (wire: FakeWire) => /<title>(.*)<\/title>/.exec(wire.written)?.[1];

    it('takes what large_client_header_buffers allow', () => {
      const { wire, ended } = connected((ex) => answer(ex));
      const fields = Array.from({ length: 4 }, (_, i) => `X-${i}: ${'v'.repeat(7000)}\r\n`).join('');
      wire.receive(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
      expect(ended).toEqual([200]);
    });

    it.each([
      ['a line', `GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`, '414', '414 Request-URI Too Large'],
      [
        'a field',
        `GET / HTTP/1.1\r\nHost: a\r\nX: ${'v'.repeat(9000)}\r\n\r\n`,
        '400',
        '400 Request Header Or Cookie Too Large',
      ],
      [
        'all fields',
        `GET / HTTP/1.1\r\nHost: a\r\n${`X: ${'v'.repeat(7000)}\r\n`.repeat(6)}\r\n`,
        '400',
        '400 Request Header Or Cookie Too Large',
      ],
    ])('refuses %s beyond the limit', (_what, bytes, expected, title) => {
      const { wire } = connected((ex) => answer(ex));
      for (let at = 0; at < bytes.length; at += 4000) wire.receive(bytes.slice(at, at + 4000));
      expect([status(wire), page(wire)]).toEqual([expected, title]);
    });
  });

  it('opens a tunnel, bytes behind the head first', async () => {
    const heard: string[] = [];
    let end: TunnelEnd | null = null;
    const { wire, gauges } = connected((ex) => {
      ex.response.status = 101;
      ex.response.add('Upgrade', 'x');
      ex.stream.sendHead(ex);
      end = ex.stream.openTunnel({
        onTunnelData: (chunk) => heard.push(chunk.toString()),
        onTunnelWritable: () => heard.push('writable'),
        onTunnelEnd: (error) => {
          heard.push(error === null ? 'fin' : error.code);
          ex.stream.abort();
        },
      });
    });
    wire.receive('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nearly');
    expect(wire.written).toMatch(
      /^HTTP\/1\.1 101 Switching Protocols\r\n[\s\S]*Connection: upgrade\r\nUpgrade: x\r\n\r\n$/,
    );
    await Promise.resolve();
    wire.receive('later');
    expect(heard).toEqual(['early', 'later']);
    (end as TunnelEnd | null)?.write(Buffer.from('back'));
    expect(wire.written.endsWith('back')).toBe(true);
    vi.advanceTimersByTime(1_000_000);
    expect(wire.isDestroyed).toBe(false);
    wire.finish();
    expect(heard).toEqual(['early', 'later', 'fin']);
    expect(wire.isDestroyed).toBe(true);
    expect(gauges().active).toBe(0);
  });

  describe('when the worker drains', () => {
    it('closes idle connections at once and busy ones after their response', async () => {
      const { handler, state } = held();
      const { wire, server } = connected(handler);
      const idle = new FakeWire();
      server.accept(idle, () => plainSite(() => DONE).group);
      wire.receive(GET);
      const drained = server.drain();
      expect(idle.isDestroyed).toBe(true);
      expect(wire.isDestroyed).toBe(false);
      answer(state.ex as Exchange);
      expect(wire.written).toContain('Connection: close\r\n');
      expect(wire.isDestroyed).toBe(true);
      await drained;
    });
  });
});
