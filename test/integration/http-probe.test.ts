import { afterEach, describe, expect, test } from 'vitest';
import { compilePattern } from '../../src/http/pcre/compile-pattern.ts';
import { type HttpProbeOptions, httpProbe, MAX_BODY_BYTES } from '../../src/probe/http-probe.ts';
import type { Probe, ProbeResult } from '../../src/probe/probe.ts';
import { ANY_SUCCESS, matchResponse, type ResponseMatch } from '../../src/probe/response-match.ts';
import { freePort } from '../support/free-port.ts';
import { headerOf } from '../support/http-message.ts';
import { CLOSE, HANG, inTurn, RESET, reply, type Script, ScriptedBackend } from '../support/scripted-backend.ts';
import { type UnacceptingPort, unacceptingPort } from '../support/unaccepting-port.ts';

let backend: ScriptedBackend | undefined;
let hanging: UnacceptingPort | undefined;
let probe: Probe | undefined;

afterEach(async () => {
  probe?.close?.();
  hanging?.stop();
  await backend?.stop();
  [backend, hanging, probe] = [undefined, undefined, undefined];
});

const PATIENT_MS = 20_000;

async function look(script: Script, options: Partial<HttpProbeOptions> = {}, match: ResponseMatch = ANY_SUCCESS) {
  backend ??= await ScriptedBackend.start({ script });
  return lookAt(backend.port, options, match);
}

function lookAt(
  port: number,
  options: Partial<HttpProbeOptions> = {},
  match: ResponseMatch = ANY_SUCCESS,
  signal = AbortSignal.timeout(PATIENT_MS),
): Promise<ProbeResult> {
  probe ??= httpProbe({
    uri: '/health?a=b',
    headers: [
      ['Host', 'backend'],
      ['X-Check', 'yes'],
    ],
    tls: null,
    localAddress: null,
    connectTimeoutMs: PATIENT_MS,
    readTimeoutMs: PATIENT_MS,
    keepaliveMs: 0,
    readsBody: match.bodies.length > 0,
    match: (response) => matchResponse(match, response),
    ...options,
  });
  return probe.run({ kind: 'tcp', host: '127.0.0.1', port }, signal);
}

describe('a check of HTTP', () => {
  test('asks as it was told, on a connection of its own', async () => {
    expect(await look(reply('fine'))).toMatchObject({
      isPassed: true,
      doing: 'checking status code',
      facts: { status: 200 },
    });
    expect(await look(reply('fine'))).toMatchObject({ isPassed: true });
    const [first] = backend?.requests ?? [];
    expect(first).toMatchObject({ method: 'GET', target: '/health?a=b' });
    if (first === undefined) throw new Error('no request');
    expect([headerOf(first.headers, 'host'), headerOf(first.headers, 'x-check')]).toEqual(['backend', 'yes']);
    expect(backend?.accepted).toBe(2);
  });

  test.each([
    ['500 Internal Server Error', false],
    ['404 Not Found', false],
    ['399 Odd', true],
    ['204 No Content', true],
  ])('%s passes: %s', async (status, isPassed) => {
    expect(await look(reply('', status))).toMatchObject({ isPassed, doing: 'checking status code' });
  });

  const MATCH: ResponseMatch = {
    status: { isNegated: false, ranges: [[200, 200]] },
    headers: [
      { name: 'x-state', value: { wanted: compilePattern('^(ok|warm)$'), isNegated: false }, isAbsent: false },
      { name: 'x-broken', value: null, isAbsent: true },
    ],
    bodies: [{ wanted: compilePattern('all is well'), isNegated: false }],
  };

  test.each([
    ['checking body', '', { 'X-State': 'ok' }, 'and all is well here'],
    ['checking body', 'the body does not match', { 'X-State': 'warm' }, 'alas'],
    ['checking headers', 'field "x-state" does not match', { 'X-State': 'not ok' }, 'all is well'],
    ['checking headers', 'there is no field "x-state"', {}, 'all is well'],
    ['checking headers', 'there is a field "x-broken"', { 'X-State': 'ok', 'X-Broken': '1' }, 'all is well'],
  ])('%s: "%s"', async (doing, reason, headers, body) => {
    const result = await look(reply(body, '200 OK', headers as Record<string, string>), {}, MATCH);
    expect(result).toMatchObject({ isPassed: reason === '', doing, reason });
  });

  test('of a body, so much is looked at and no more', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\nX-State: ok\r\n\r\n';
    const late = await look([head, 'x'.repeat(MAX_BODY_BYTES), 'all is well', HANG], {}, MATCH);
    expect(late).toMatchObject({ isPassed: false, reason: 'the body does not match' });
  });

  test('a body that nobody wants is not waited for', async () => {
    const result = await look(['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n', HANG]);
    expect(result.isPassed).toBe(true);
  });

  test.each([
    ['reading response header from upstream', [CLOSE]],
    ['reading response header from upstream', [RESET]],
    ['reading response header from upstream', ['HTTP/1.1 2', CLOSE]],
    ['reading response header from upstream', ['no HTTP at all\r\n\r\n', CLOSE]],
    ['reading upstream', ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', CLOSE]],
  ] as const)('while %s: %j', async (doing, script) => {
    const result = await look(script as unknown as Script, { readsBody: true });
    expect(result).toMatchObject({ isPassed: false, doing });
    expect(result.reason).not.toBe('');
  });

  test('nobody listens', async () => {
    expect(await lookAt(await freePort())).toEqual({
      isPassed: false,
      doing: 'connecting to upstream',
      reason: 'connection refused',
      facts: {},
    });
  });

  test('one that hangs is let go when its time is over: before the connection, the head, within the body', async () => {
    const soon = () => AbortSignal.timeout(100);
    hanging = await unacceptingPort();
    expect(await lookAt(hanging.port, {}, ANY_SUCCESS, soon())).toMatchObject({
      doing: 'connecting to upstream',
      reason: 'timed out',
    });
    probe = undefined;
    const bodies = { readsBody: true };
    backend = await ScriptedBackend.start({
      script: (_request, nth) => (nth === 0 ? [HANG] : ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc', HANG]),
    });
    expect(await lookAt(backend.port, bodies, ANY_SUCCESS, soon())).toMatchObject({
      doing: 'reading response header from upstream',
      reason: 'timed out',
    });
    expect(await lookAt(backend.port, bodies, ANY_SUCCESS, soon())).toMatchObject({
      doing: 'reading upstream',
      reason: 'timed out',
    });
    await expect.poll(() => backend?.openConnections).toBe(0);
  });

  test('proxy_connect_timeout and proxy_read_timeout hold too', async () => {
    hanging = await unacceptingPort();
    expect(await lookAt(hanging.port, { connectTimeoutMs: 50 })).toMatchObject({
      doing: 'connecting to upstream',
      reason: 'timed out',
    });
  });

  test('keepalive_time: one connection for several looks', async () => {
    backend = await ScriptedBackend.start({ script: reply('fine') });
    for (let i = 0; i < 3; i++) expect((await lookAt(backend.port, { keepaliveMs: 60_000 })).isPassed).toBe(true);
    expect([backend.accepted, backend.openConnections]).toEqual([1, 1]);
    probe?.close?.();
    await expect.poll(() => backend?.openConnections).toBe(0);
  });

  test('keepalive_time: one that is too old, that the peer has closed, or whose look failed is not used again', async () => {
    backend = await ScriptedBackend.start({
      script: inTurn(reply('fine'), [reply('fine'), CLOSE], reply('', '503 No'), reply('fine')),
    });
    const options = { keepaliveMs: 60_000 };
    const passes: boolean[] = [];
    for (let i = 0; i < 4; i++) {
      passes.push((await lookAt(backend.port, options)).isPassed);
      // The second closes behind its answer.
      if (i === 1) await expect.poll(() => backend?.openConnections).toBe(0);
    }
    expect(passes).toEqual([true, true, false, true]);
    expect(backend.accepted).toBe(3);
    probe?.close?.();
    probe = undefined;
    backend.forget();
    for (let i = 0; i < 2; i++) await lookAt(backend.port, { keepaliveMs: 0.001 });
    expect(backend.accepted).toBe(2);
  });
});
