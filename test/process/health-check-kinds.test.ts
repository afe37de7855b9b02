import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { makeCertificate } from '../support/certificates.ts';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { REDIS_PASSWORD, REDIS_SERVER, RedisServer } from '../support/redis.ts';
import { byPath, reply, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { TcpService } from '../support/tcp-service.ts';
import { get } from './ask.ts';

const ending: (() => Promise<unknown> | undefined)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

interface Site {
  readonly http?: string;
  readonly server: string;
  readonly pass?: string;
  readonly location?: string;
  readonly check: string;
  /** First looks come within a second in any case. */
  readonly interval?: string;
  readonly files?: Readonly<Record<string, string>>;
  /** In the location. */
  readonly port?: number;
}

async function start(site: Site): Promise<RunningProxy> {
  const port = site.port ?? (await freePort());
  const proxy = await startProxy({
    conf: (prefix) =>
      `error_log error.log notice; events {}
http {
  access_log off;
  ${site.http ?? ''}
  upstream u { zone u 64k; server ${site.server.replace('PREFIX', prefix)}; }
  server {
    listen 127.0.0.1:${port};
    server_name shop.example;
    location / { proxy_pass ${site.pass ?? 'http://u'}; ${site.location ?? ''} health_check interval=${site.interval ?? '10s'} ${site.check}; }
  }
}
`,
    ...(site.files === undefined ? {} : { files: site.files }),
  });
  ending.push(() => proxy.stop());
  return proxy;
}

async function backendOf(options: Parameters<typeof ScriptedBackend.start>[0]): Promise<ScriptedBackend> {
  const backend = await ScriptedBackend.start(options);
  ending.push(() => backend.stop());
  return backend;
}

/** The line of the first flip, from behind "peer is". All checks here are mandatory, so there is one either way. */
async function firstFlip(proxy: RunningProxy): Promise<string> {
  const line = await poll(() => /peer is (.*)\n/.exec(proxy.errorLog())?.[1], 30_000);
  if (line === undefined) throw new Error(`no flip:\n${proxy.errorLog()}`);
  return line.replace(/, health check "(\w*)" of peer \S+ in upstream "u"/, ' [$1]');
}

describe('what a check may look at', () => {
  const HEALTH = byPath({
    '/health': reply('{"ready":true}', '200 OK', { 'Content-Type': 'application/json', 'X-Load': '3' }),
    '/': reply('fine'),
  });

  test.each([
    [
      'status 200; header Content-Type ~ json; header ! X-Broken; body ~ ready..true;',
      'healthy while checking body [m]',
    ],
    ['status ! 200;', 'unhealthy while checking status code [m]: status is 200'],
    ['header X-Load = 4;', 'unhealthy while checking headers [m]: field "x-load" does not match'],
    ['body !~ ready;', 'unhealthy while checking body [m]: the body does not match'],
    ['require $upstream_http_x_load $lightly;', 'healthy while checking required variables [m]'],
    [
      'require $upstream_http_x_broken;',
      'unhealthy while checking required variables [m]: $upstream_http_x_broken is ""',
    ],
    ['require $heavily;', 'unhealthy while checking required variables [m]: $heavily is "0"'],
  ])('match { %s }: %s', async (lines, flip) => {
    const backend = await backendOf({ script: HEALTH });
    const maps =
      'map $upstream_http_x_load $lightly { ~^[0-5]$ 1; default 0; } map $upstream_http_x_load $heavily { ~^[6-9]$ 1; default 0; }';
    const proxy = await start({
      http: `${maps} match m { ${lines} }`,
      server: `127.0.0.1:${backend.port}`,
      check: 'uri=/health match=m mandatory',
    });
    expect(await firstFlip(proxy)).toBe(flip);
  });

  test('another port, a connection that is kept, and the fields of the location', async () => {
    const [backend, other] = [await backendOf({ script: HEALTH }), await backendOf({ script: HEALTH })];
    const proxy = await start({
      server: `127.0.0.1:${backend.port}`,
      location:
        'proxy_set_header Host $host; proxy_set_header X-From $proxy_host; proxy_set_header X-None $remote_addr;',
      check: `uri=/health port=${other.port} keepalive_time=60s mandatory`,
      interval: '500ms',
    });
    expect(await firstFlip(proxy)).toBe(`healthy while checking status code [], port ${other.port}`);
    expect(await other.untilRequests(4)).toBe(true);
    expect(other.accepted).toBe(1);
    expect(
      Object.fromEntries(other.requests[0]?.headers.map(([name, value]) => [name.toLowerCase(), value]) ?? []),
    ).toEqual({
      host: 'shop.example',
      'x-from': 'u',
      connection: 'keep-alive',
    });
    expect(backend.requests).toEqual([]);
  });

  test('a unix socket', async () => {
    const path = join(process.env['TMPDIR'] ?? '/tmp', `evenkeel-health-${process.pid}.sock`);
    await backendOf({ script: HEALTH, path });
    const proxy = await start({ server: `unix:${path}`, check: 'uri=/health mandatory' });
    expect(await firstFlip(proxy)).toBe('healthy while checking status code []');
  });
});

describe('TLS of the location', () => {
  const ca = makeCertificate('root', { isCa: true });
  const own = makeCertificate('peer.example', { issuer: ca, names: ['peer.example'] });

  test.each([
    ['peer.example', 'healthy while checking status code []'],
    [
      'other.example',
      'unhealthy while SSL handshaking to upstream []: upstream SSL certificate does not match "other.example"',
    ],
  ])('proxy_ssl_verify, proxy_ssl_name %s: %s', async (name, flip) => {
    const backend = await backendOf({ script: reply('fine'), tls: { cert: own.cert, key: own.key } });
    const proxy = await start({
      server: `127.0.0.1:${backend.port}`,
      pass: 'https://u',
      location: `proxy_ssl_verify on; proxy_ssl_trusted_certificate ca.pem; proxy_ssl_name ${name}; proxy_ssl_server_name on;`,
      check: 'mandatory',
      files: { 'ca.pem': ca.cert },
    });
    expect(await firstFlip(proxy)).toBe(flip);
  });

  test('a peer that speaks no TLS', async () => {
    const backend = await backendOf({ script: reply('fine') });
    const proxy = await start({ server: `127.0.0.1:${backend.port}`, pass: 'https://u', check: 'mandatory' });
    expect(await firstFlip(proxy)).toMatch(/^unhealthy while SSL handshaking to upstream \[\]: .+/);
  });
});

describe('other protocols', () => {
  test.each([
    ['+PONG', 'healthy while waiting for the expected data [ping]'],
    ['-ERR', 'unhealthy while waiting for the expected data [ping]: what came was not expected'],
  ])('TCP: %s', async (answer, flip) => {
    const service = await TcpService.start((socket, data) =>
      socket.write(data === 'PING\r\n' ? `${answer}\r\n` : 'what?'),
    );
    ending.push(() => service.stop());
    const proxy = await start({
      http: 'match ping { send "PING\\x0d\\x0a"; expect ~ "^\\+PONG"; }',
      server: `127.0.0.1:${service.port}`,
      check: 'type=tcp match=ping mandatory',
    });
    expect(await firstFlip(proxy)).toBe(flip);
  });

  test.skipIf(REDIS_SERVER === undefined)('Redis, by a password of a file', async () => {
    const redis = await RedisServer.master();
    ending.push(() => redis.remove());
    const port = await freePort();
    const check = (role: string, file: string) => ({
      port,
      server: `127.0.0.1:${redis.port}`,
      check: `type=redis role=${role} password_file=${file} mandatory`,
      files: { right: `${REDIS_PASSWORD}\n`, wrong: 'wrong\n' },
    });
    const flips: string[] = [];
    for (const [role, file] of [
      ['master', 'right'],
      ['replica', 'right'],
      ['master', 'wrong'],
    ] as const) {
      const proxy = await start(check(role, file));
      flips.push(await firstFlip(proxy));
      expect(proxy.errorLog()).not.toContain(REDIS_PASSWORD);
      await ending.pop()?.();
    }
    expect(flips).toEqual([
      expect.stringMatching(/^healthy while checking .*\[\]$/),
      'unhealthy while checking role []: role is master, replica expected',
      expect.stringMatching(/^unhealthy while logging in \[\]: /),
    ]);
  });

  test('PostgreSQL that nobody serves', async () => {
    const proxy = await start({
      server: `127.0.0.1:${await freePort()}`,
      check: 'type=postgres role=primary mandatory',
    });
    expect(await firstFlip(proxy)).toBe('unhealthy while connecting []: connection refused');
  });
});

test('a client is told 502 while nobody has passed yet', async () => {
  const port = await freePort();
  const proxy = await start({ port, server: `127.0.0.1:${await freePort()}`, check: 'mandatory fails=1000' });
  expect((await get(port)).status).toBe(502);
  expect(proxy.errorLog()).toContain('no live upstreams while connecting to upstream');
});
