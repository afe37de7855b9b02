import { describe, expect, onTestFinished, test } from 'vitest';
import { get, until } from '../process/ask.ts';
import { freePort } from '../support/free-port.ts';
import { inTurn, KEEP, RESET, reply, type Script, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

/** What newest nginx does with connections to peers, and the oracle does not yet (1.29.7). */

interface Site {
  readonly proxy: RunningProxy;
  readonly port: number;
  readonly a: ScriptedBackend;
  readonly b: ScriptedBackend;
  readonly conf: string;
}

async function start(upstream: string, script: Script = reply('ok'), proxying = ''): Promise<Site> {
  const port = await freePort();
  const a = await ScriptedBackend.start({ script });
  const b = await ScriptedBackend.start({ script: reply('b') });
  onTestFinished(() => a.stop());
  onTestFinished(() => b.stop());
  const conf = `error_log error.log notice;
events {}
http {
    log_format tries '$request $status $upstream_addr $upstream_status';
    access_log access.log tries;
    upstream u { ${upstream} }
    server {
        listen 127.0.0.1:${port};
        ${proxying}
        location / { proxy_pass http://u; }
        location /other { proxy_pass http://u; }
        location /bound { proxy_pass http://u; proxy_bind $arg_from; }
        location /address { proxy_pass http://%A%; }
        location = /version { return 200 "first"; }
    }
}
`
    .replaceAll('%A%', `127.0.0.1:${a.port}`)
    .replaceAll('%B%', `127.0.0.1:${b.port}`);
  const proxy = await startProxy({ conf });
  onTestFinished(async () => void (await proxy.stop()));
  return { proxy, port, a, b, conf };
}

/** Over which of its connections the backend got the requests. */
async function connectionsOf(site: Site, paths: readonly string[]): Promise<number[]> {
  for (const path of paths) expect((await get(site.port, path)).status).toBe(200);
  return site.a.requests.map((request) => request.connection);
}

describe('connections to peers', () => {
  test('are kept where nothing is said, for the location that opened them', async () => {
    const site = await start('server %A%;');
    expect(await connectionsOf(site, ['/', '/', '/other', '/other', '/'])).toEqual([1, 1, 2, 2, 1]);
    expect(site.a.requests[0]?.headers.map(([name]) => name.toLowerCase())).not.toContain('connection');
    expect(site.a.requests[0]?.startLine).toBe('GET / HTTP/1.1');
  });

  test('keepalive N local: the same', async () => {
    const site = await start('server %A%; keepalive 4 local;');
    expect(await connectionsOf(site, ['/', '/other', '/', '/other'])).toEqual([1, 2, 1, 2]);
  });

  test('keepalive N: for every location', async () => {
    const site = await start('server %A%; keepalive 4;');
    expect(await connectionsOf(site, ['/', '/other', '/', '/other'])).toEqual([1, 1, 1, 1]);
  });

  test('keepalive 0: not at all', async () => {
    const site = await start('server %A%; keepalive 0;');
    expect(await connectionsOf(site, ['/', '/', '/'])).toEqual([1, 2, 3]);
  });

  test('not towards an address that is no upstream', async () => {
    const site = await start('server %B%;');
    expect(await connectionsOf(site, ['/address', '/address'])).toEqual([1, 2]);
  });

  test('each with the address that proxy_bind gave it', async () => {
    const site = await start('server %A%; keepalive 4;');
    const paths = ['/bound?from=127.0.0.5', '/bound?from=127.0.0.6', '/bound?from=127.0.0.5', '/bound?from=', '/other'];
    expect(await connectionsOf(site, paths)).toEqual([1, 2, 1, 3, 3]);
  });

  test('live on through a reload', async () => {
    const site = await start('server %A%;');
    await connectionsOf(site, ['/', '/other']);
    site.proxy.rewriteConf(site.conf.replace('"first"', '"second"'));
    site.proxy.signal('SIGHUP');
    await until(async () => ((await get(site.port, '/version')).body === 'second' ? true : undefined));
    expect(await connectionsOf(site, ['/', '/other'])).toEqual([1, 2, 1, 2]);
  });
});

describe('a kept connection that is lost as it is used again', () => {
  /** Every second request of the backend finds its connection reset. */
  const losing: Script = (_, nth) => (nth % 2 === 1 ? [RESET] : [reply('ok'), KEEP]);

  test('is no try and no failure: proxy_next_upstream_tries 1 and max_fails=1 let it be repeated', async () => {
    const site = await start('server %A% max_fails=1; server %B% backup;', losing, 'proxy_next_upstream_tries 1;');
    expect(await connectionsOf(site, ['/', '/', '/'])).toEqual([1, 1, 2, 2, 3]);
    expect(site.b.requests).toHaveLength(0);
    expect(site.proxy.errorLog()).not.toContain('temporarily disabled');
    const a = `127.0.0.1:${site.a.port}`;
    await until(async () => (site.proxy.read('access.log').split('\n').length === 4 ? true : undefined));
    expect(site.proxy.read('access.log').split('\n').slice(0, 2)).toEqual([
      `GET / HTTP/1.1 200 ${a} 200`,
      `GET / HTTP/1.1 200 ${a}, ${a} 502, 200`,
    ]);
  });

  test('is not repeated where proxy_next_upstream is off', async () => {
    const site = await start('server %A%;', inTurn(reply('ok'), [RESET], reply('fresh')), 'proxy_next_upstream off;');
    expect((await get(site.port)).status).toBe(200);
    expect((await get(site.port)).status).toBe(502);
    expect((await get(site.port)).body).toBe('fresh');
  });
});
