import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { ProbeResult } from '../../src/probe/probe.ts';
import { parseStatusSet } from '../../src/probe/status-set.ts';
import { targetOfUrl, type UrlProbeOptions, urlProbe } from '../../src/probe/url-probe.ts';
import { type CertificateOptions, makeCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { CLOSE, HANG, reply, type Script, ScriptedBackend } from '../support/scripted-backend.ts';
import { unacceptingPort } from '../support/unaccepting-port.ts';

const backends: ScriptedBackend[] = [];
afterEach(async () => {
  for (const backend of backends.splice(0)) await backend.stop();
});

async function backendOf(script: Script, tls?: { key: string; cert: string }): Promise<ScriptedBackend> {
  const backend = await ScriptedBackend.start({ script, ...(tls === undefined ? {} : { tls }) });
  backends.push(backend);
  return backend;
}

interface Change extends Partial<Omit<UrlProbeOptions, 'url' | 'status'>> {
  readonly status?: string;
  readonly signal?: AbortSignal;
  readonly connectTo?: number;
}

function look(text: string, { status = '200', signal, connectTo, ...change }: Change = {}): Promise<ProbeResult> {
  const url = new URL(text);
  const probe = urlProbe({
    url,
    status: parseStatusSet(status) ?? [],
    bodyText: null,
    certificate: { isVerified: true, minDays: 3 },
    ca: null,
    maxRedirects: 5,
    hasProxyProtocol: false,
    userAgent: 'probe/1',
    ...change,
  });
  const target =
    connectTo === undefined ? targetOfUrl(url) : { kind: 'tcp' as const, host: '127.0.0.1', port: connectTo };
  return probe.run(target, signal ?? AbortSignal.timeout(10_000));
}

describe('status and body', () => {
  test('well: what was asked, how, and what came', async () => {
    const backend = await backendOf(reply('healthy\n'));
    const result = await look(`http://127.0.0.1:${backend.port}/health?deep=1`, { bodyText: 'healthy' });
    expect(result).toMatchObject({ isPassed: true, facts: { status: 200 } });
    const [request] = backend.requests;
    expect(request).toMatchObject({ method: 'GET', target: '/health?deep=1' });
    expect(request?.headers).toEqual(
      expect.arrayContaining([
        ['host', `127.0.0.1:${backend.port}`],
        ['user-agent', 'probe/1'],
      ]),
    );
  });

  test('another status, another body', async () => {
    const backend = await backendOf(({ target }) =>
      target === '/ok' ? reply('sick') : 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n',
    );
    const at = `http://127.0.0.1:${backend.port}`;
    expect(await look(`${at}/`)).toMatchObject({
      isPassed: false,
      doing: 'checking status code',
      reason: 'status 503, 200 expected',
      facts: { status: 503 },
    });
    expect(await look(`${at}/ok`, { bodyText: 'healthy' })).toMatchObject({
      isPassed: false,
      doing: 'checking body',
      reason: 'the body has no "healthy"',
    });
    expect(await look(`${at}/`, { status: '200-299,503' })).toMatchObject({ isPassed: true });
  });

  test('redirects are followed, but not for ever', async () => {
    const backend = await backendOf(({ target }) =>
      target === '/end'
        ? reply('here')
        : `HTTP/1.1 302 Found\r\nLocation: ${target === '/a' ? '/end' : '/round'}\r\nContent-Length: 0\r\n\r\n`,
    );
    const at = `http://127.0.0.1:${backend.port}`;
    expect(await look(`${at}/a`, { bodyText: 'here' })).toMatchObject({
      isPassed: true,
      facts: { redirects: 1, url: `${at}/end` },
    });
    expect(await look(`${at}/a`, { maxRedirects: 0 })).toMatchObject({
      isPassed: false,
      reason: 'status 302, 200 expected',
    });
    expect(await look(`${at}/round`, { maxRedirects: 3 })).toMatchObject({ isPassed: false });
  });

  test.each<[string, Script, string | RegExp]>([
    ['closes without a word', [CLOSE], /closed|reset/],
    [
      'breaks off within the body',
      ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', CLOSE],
      /closed|terminated|mismatch/i,
    ],
    ['speaks no HTTP', ['SSH-2.0-x\r\n\r\n', CLOSE], /./],
    ['says nothing', [HANG], 'timed out'],
    ['never ends', ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', HANG], 'timed out'],
  ])('a peer that %s is not well', async (_, script, reason) => {
    const backend = await backendOf(script);
    const result = await look(`http://127.0.0.1:${backend.port}/`, { signal: AbortSignal.timeout(300) });
    expect(result).toMatchObject({ isPassed: false, reason: expect.stringMatching(reason) });
  });

  test('nobody listens, or nobody accepts', async () => {
    expect(await look(`http://127.0.0.1:${await freePort()}/`)).toMatchObject({
      isPassed: false,
      reason: 'connection refused',
    });
    const silent = await unacceptingPort();
    try {
      const late = await look(`http://127.0.0.1:${silent.port}/`, { signal: AbortSignal.timeout(100) });
      expect(late).toMatchObject({ isPassed: false, doing: 'connecting', reason: 'timed out' });
    } finally {
      silent.stop();
    }
    expect(await look('http://127.0.0.1:1/', { signal: AbortSignal.abort() })).toMatchObject({ reason: 'timed out' });
  });

  test('a port that wants the PROXY protocol', async () => {
    const heard: string[] = [];
    const server = createServer((socket) => {
      socket.once('data', (data) => {
        heard.push(String(data));
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      });
    });
    const port = await listening(server);
    try {
      expect(await look(`http://127.0.0.1:${port}/`, { hasProxyProtocol: true })).toMatchObject({ isPassed: true });
      expect(heard[0]).toMatch(/^PROXY UNKNOWN\r\n/);
    } finally {
      server.close();
    }
  });
});

describe('certificates', () => {
  async function tls(options: CertificateOptions): Promise<{ port: number; cert: string }> {
    const { key, cert } = makeCertificate('shop.example', options);
    const { port } = await backendOf(reply('healthy'), { key, cert });
    return { port, cert };
  }

  test('trusted, for this name, long enough', async () => {
    const { port, cert } = await tls({ names: ['shop.example'], days: 40 });
    const result = await look(`https://shop.example:${port}/`, { ca: cert, connectTo: port });
    expect(result).toMatchObject({ isPassed: true, facts: { status: 200, tls: 'TLSv1.3', certificate_days: 39 } });
    expect(String(result.facts['certificate_expires_at'])).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  test('from nobody one trusts, for another name, about to expire', async () => {
    const { port, cert } = await tls({ names: ['shop.example'], days: 10 });
    const at = `https://shop.example:${port}/`;
    const own = { ca: cert, connectTo: port };
    const results = [
      await look(at, { connectTo: port }),
      await look(`https://other.example:${port}/`, own),
      await look(at, { ...own, certificate: { isVerified: true, minDays: 20 } }),
    ];
    expect(results.map(({ isPassed, doing, reason }) => [isPassed, doing, reason])).toEqual([
      [false, 'checking the certificate', 'the certificate is self-signed'],
      [false, 'checking the certificate', 'the certificate is for shop.example, not for this name'],
      [false, 'checking the certificate', 'the certificate expires in 9 days, at least 20 expected'],
    ]);
    expect(results[2]?.facts).toMatchObject({ certificate_days: 9 });
  });

  test('where nobody is verified, an old one is still not well', async () => {
    const { port } = await tls({ days: 10 });
    const at = `https://shop.example:${port}/`;
    const careless = { connectTo: port, certificate: { isVerified: false, minDays: 0 } };
    expect(await look(at, careless)).toMatchObject({ isPassed: true });
    expect(await look(at, { ...careless, certificate: { isVerified: false, minDays: 20 } })).toMatchObject({
      isPassed: false,
    });
  });

  test('an expired one, verified or not', async () => {
    const { port, cert } = await tls({ names: ['shop.example'], days: -1 });
    const at = `https://shop.example:${port}/`;
    for (const isVerified of [true, false]) {
      const result = await look(at, { ca: cert, connectTo: port, certificate: { isVerified, minDays: 0 } });
      expect(result).toMatchObject({
        isPassed: false,
        reason: expect.stringMatching(/^the certificate expired \d{4}-/),
      });
    }
  });

  test('no TLS where it is expected', async () => {
    const backend = await backendOf(reply('plain'));
    expect(await look(`https://127.0.0.1:${backend.port}/`, { signal: AbortSignal.timeout(2000) })).toMatchObject({
      isPassed: false,
      doing: 'connecting',
    });
  });
});

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
