import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { nowMs } from '../../../src/core/clock.ts';
import { Deadlines } from '../../../src/core/deadlines.ts';
import { H1Server } from '../../../src/h1/h1-server.ts';
import type { Exchange } from '../../../src/http/exchange.ts';
import { DONE, type PhaseResult, type RequestLog } from '../../../src/http/location.ts';
import { sendWhole } from '../../../src/http/send-response.ts';
import { ACTIVE, Counters, WAITING } from '../../../src/observe/counters.ts';
import { FakeWire } from '../../support/fake-wire.ts';
import { plainSite } from '../../support/plain-site.ts';

const V1 = 'PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n';
const V2 = `\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb`;
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function answer(ex: Exchange): PhaseResult {
  const { proxyProtocol, remoteAddress } = ex.connection;
  ex.response.status = 200;
  sendWhole(ex, Buffer.from(`${proxyProtocol?.clientAddress ?? 'nobody'} by ${remoteAddress}`));
  return DONE;
}

function accepted(readsProxyProtocol = true) {
  const { group } = plainSite(answer, {}, { clientHeaderTimeoutMs: 5000 });
  const log: string[] = [];
  const { errorLog } = group.defaultServer.defaultLocation;
  (errorLog as { writeWaiting: RequestLog['writeWaiting'] }).writeWaiting = (level, _connection, text) => {
    log.push(`[${level}] ${text}`);
  };
  const counters = new Counters();
  const deadlines = new Deadlines(nowMs);
  const server = new H1Server({ deadlines, counters, flushLogs: () => undefined });
  const wire = new FakeWire();
  server.accept(wire, () => ({ ...group, readsProxyProtocol, find: () => group.defaultServer }));
  const wait = (ms: number): void => void vi.advanceTimersByTime(ms);
  return { wire, log, counters, server, wait };
}

describe('a PROXY protocol header', () => {
  test.each([
    ['version 1', V1],
    ['version 2', V2],
  ])('of %s is read whole, split at every byte, and byte by byte', (_version, header) => {
    const bytes = header + REQUEST + REQUEST;
    const cuts = Array.from({ length: bytes.length }, (_, at) => [bytes.slice(0, at), bytes.slice(at)]);
    for (const parts of [[bytes], ...cuts, [...bytes]]) {
      const { wire, log } = accepted();
      for (const part of parts) wire.receive(part);
      expect(wire.written.match(/192\.0\.2\.1 by 127\.0\.0\.1/g)?.length).toBe(2);
      expect(log).toEqual([]);
    }
  });

  test('belongs to the connection: the second request knows it too', () => {
    const { wire } = accepted();
    wire.receive(V1 + REQUEST);
    wire.receive(V1 + REQUEST);
    expect(wire.written.match(/192\.0\.2\.1 by/g)?.length).toBe(1);
    expect(wire.written).toContain('400 Bad Request');
  });

  test('that is none closes the connection, and nothing is answered', () => {
    const { wire, log, counters } = accepted();
    wire.receive(REQUEST);
    expect(log).toEqual(['[error] broken header: "GET / HTTP/1.1" while reading PROXY protocol']);
    expect([wire.isDestroyed, wire.written, counters.values[ACTIVE]]).toEqual([true, '', 0]);
  });

  test('that breaks off is logged', () => {
    const { wire, log } = accepted();
    wire.receive('PROXY TCP4 1.1');
    wire.finish();
    expect([wire.isDestroyed, log]).toEqual([
      true,
      ['[error] broken header: "PROXY TCP4 1.1" while reading PROXY protocol'],
    ]);
  });

  test('that never comes times out', () => {
    const { wire, log, wait } = accepted();
    wire.receive('PROXY');
    wait(6000);
    expect(log).toEqual(['[info] client timed out (110: Connection timed out) while reading PROXY protocol']);
    expect(wire.isDestroyed).toBe(true);
  });

  test('the time for it is also that for the request', () => {
    const { wire, log, wait } = accepted();
    wait(4000);
    wire.receive(V1);
    wait(2000);
    expect(log).toEqual(['[info] client timed out (110: Connection timed out) while waiting for request']);
    expect(wire.isDestroyed).toBe(true);
  });

  test('a drain does not wait for it', async () => {
    const { wire, server, counters } = accepted();
    wire.receive('PROXY');
    expect(counters.values[WAITING]).toBe(1);
    await server.drain();
    expect([wire.isDestroyed, counters.values[ACTIVE], counters.values[WAITING]]).toEqual([true, 0, 0]);
  });

  test('elsewhere it is a malformed request', () => {
    const { wire } = accepted(false);
    wire.receive(V1 + REQUEST);
    expect(wire.written).toContain('400 Bad Request');
  });
});
