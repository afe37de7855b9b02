import { afterEach, describe, expect, test } from 'vitest';
import { compilePattern } from '../../src/http/pcre/compile-pattern.ts';
import type { ProbeResult } from '../../src/probe/probe.ts';
import type { TextTest } from '../../src/probe/response-match.ts';
import { tcpProbe } from '../../src/probe/tcp-probe.ts';
import { freePort } from '../support/free-port.ts';
import { TcpService } from '../support/tcp-service.ts';

let service: TcpService | undefined;
afterEach(async () => {
  await service?.stop();
  service = undefined;
});

function look(port: number, send: string, expected: TextTest | null, timeMs = 20_000): Promise<ProbeResult> {
  const probe = tcpProbe({
    tls: null,
    localAddress: null,
    connectTimeoutMs: 20_000,
    readTimeoutMs: 20_000,
    send,
    expect: expected,
  });
  return probe.run({ kind: 'tcp', host: '127.0.0.1', port }, AbortSignal.timeout(timeMs));
}

const PONG: TextTest = { wanted: '+PONG', isNegated: false };

describe('a check of TCP', () => {
  test('to be connected is enough when nothing is expected; the connection is closed', async () => {
    service = await TcpService.start(() => undefined);
    expect(await look(service.port, '', null)).toMatchObject({ isPassed: true, doing: 'connecting to upstream' });
    await expect.poll(() => service?.openConnections).toBe(0);
  });

  test('sends, and waits for what is expected, also when it comes in parts', async () => {
    service = await TcpService.start((socket, data) => {
      if (data !== 'PING\r\n') return;
      socket.write('-noise\r\n+PO');
      setImmediate(() => socket.write('NG\r\n'));
    });
    expect(await look(service.port, 'PING\r\n', PONG)).toMatchObject({
      isPassed: true,
      doing: 'waiting for the expected data',
    });
  });

  test('a pattern', async () => {
    service = await TcpService.start(() => undefined, '220 mail ready\r\n');
    const greeting = { wanted: compilePattern('^220 .* ready'), isNegated: false };
    expect((await look(service.port, '', greeting)).isPassed).toBe(true);
  });

  test('something else, then the end', async () => {
    service = await TcpService.start((socket) => socket.end('-ERR\r\n'));
    expect(await look(service.port, 'PING\r\n', PONG)).toMatchObject({
      isPassed: false,
      reason: 'what came was not expected',
    });
  });

  test('nothing, then the end', async () => {
    service = await TcpService.start((socket) => socket.end());
    expect(await look(service.port, 'PING\r\n', PONG)).toMatchObject({
      isPassed: false,
      reason: 'the connection was closed without an answer',
    });
  });

  test('silence, until its time is over', async () => {
    service = await TcpService.start(() => undefined);
    expect(await look(service.port, 'PING\r\n', PONG, 100)).toMatchObject({ isPassed: false, reason: 'timed out' });
    await expect.poll(() => service?.openConnections).toBe(0);
  });

  test('an endless answer', async () => {
    service = await TcpService.start((socket) => {
      const more = (): void => {
        while (socket.writable && socket.write('x'.repeat(65_536)));
      };
      socket.on('drain', more);
      more();
    });
    expect((await look(service.port, 'PING\r\n', PONG)).reason).toBe('not within 262144 bytes');
  });

  test('nobody listens', async () => {
    expect(await look(await freePort(), '', null)).toMatchObject({ isPassed: false, reason: 'connection refused' });
  });
});
