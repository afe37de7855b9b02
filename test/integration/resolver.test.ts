import { expect, onTestFinished, test } from 'vitest';
import { type Answer, get } from '../process/ask.ts';
import { addresses, DnsServer } from '../support/dns-server.ts';
import { freePort } from '../support/free-port.ts';
import { reply, replyAndClose, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

const HOSTS = ['127.0.0.31', '127.0.0.32', '127.0.0.33'];

interface Site {
  readonly proxy: RunningProxy;
  readonly dns: DnsServer;
  readonly backendPort: number;
  ask(path: string): Promise<Answer>;
}

/** A proxy whose `/NAME` goes to that name, and a backend on each of HOSTS that says its address. */
async function start(resolver: (dns: DnsServer) => string, location = ''): Promise<Site> {
  const dns = await DnsServer.start();
  onTestFinished(() => dns.stop());
  const [port, backendPort] = [await freePort(), await freePort()];
  for (const host of HOSTS) {
    const backend = await ScriptedBackend.start({ host, port: backendPort, script: replyAndClose(host) });
    onTestFinished(() => backend.stop());
  }
  const proxy = await startProxy({
    conf: `error_log error.log info;
events {}
http {
  access_log off;
  server {
    listen 127.0.0.1:${port};
    ${resolver(dns)}
    location ~ ^/(?<name>[^/]+) { proxy_pass http://$name:${backendPort}/; ${location} }
  }
}
`,
  });
  onTestFinished(async () => void (await proxy.stop()));
  return { proxy, dns, backendPort, ask: (path) => get(port, path) };
}

const plain = (dns: DnsServer): string => `resolver 127.0.0.1:${dns.port};`;

test('all addresses in turn, asked for once within the TTL', async () => {
  const { ask, dns } = await start(plain);
  dns.set('app.test', addresses(HOSTS));
  const bodies: string[] = [];
  for (let i = 0; i < 6; i++) bodies.push((await ask('/app.test')).body);
  expect([...bodies].sort()).toEqual([...HOSTS, ...HOSTS].sort());
  expect(
    dns
      .queriesOf('app.test')
      .map((query) => query.type)
      .sort(),
  ).toEqual(['A', 'AAAA']);
});

test('requests that come together share one question', async () => {
  const { ask, dns } = await start(plain);
  const { promise: go, resolve } = Promise.withResolvers<void>();
  dns.set('app.test', async () => {
    await go;
    return addresses(['127.0.0.31']);
  });
  const all = Array.from({ length: 20 }, () => ask('/app.test'));
  await dns.untilAsked('app.test', 2);
  resolve();
  expect(new Set((await Promise.all(all)).map((answer) => answer.body))).toEqual(new Set(['127.0.0.31']));
  expect(dns.queriesOf('app.test').length).toBe(2);
});

test('an answer that may not be kept is asked for anew, and changes are followed', async () => {
  const { ask, dns } = await start(plain);
  for (const host of HOSTS) {
    dns.set('app.test', addresses([host], 0));
    expect((await ask('/app.test')).body).toBe(host);
  }
});

test('valid= keeps an answer whose TTL is 0', async () => {
  const { ask, dns } = await start((server) => `resolver 127.0.0.1:${server.port} valid=1h ipv6=off;`);
  dns.set('app.test', addresses(['127.0.0.31'], 0));
  await ask('/app.test');
  dns.set('app.test', addresses(['127.0.0.32'], 0));
  expect((await ask('/app.test')).body).toBe('127.0.0.31');
  expect(dns.queriesOf('app.test').map((query) => query.type)).toEqual(['A']);
});

test('ipv4=off: only IPv6 is asked for', async () => {
  const { ask, dns } = await start((server) => `resolver 127.0.0.1:${server.port} ipv4=off status_zone=z;`);
  dns.set('app.test', addresses(['127.0.0.31']));
  expect((await ask('/app.test')).status).toBe(502);
  expect(dns.queriesOf('app.test').map((query) => query.type)).toEqual(['AAAA']);
});

test('a name server that is not there leaves it to the next one', async () => {
  const gone = await freePort();
  const { ask, dns } = await start((server) => `resolver 127.0.0.1:${gone} 127.0.0.1:${server.port} valid=1s;`);
  dns.set('one.test', addresses(['127.0.0.31']));
  dns.set('two.test', addresses(['127.0.0.32']));
  expect([(await ask('/one.test')).body, (await ask('/two.test')).body]).toEqual(['127.0.0.31', '127.0.0.32']);
});

test('a name server that comes back within resolver_timeout is heard', async () => {
  const port = await freePort();
  const { ask } = await start(() => `resolver 127.0.0.1:${port}; resolver_timeout 20s;`);
  const answer = ask('/app.test');
  const dns = await DnsServer.start('127.0.0.1', port);
  onTestFinished(() => dns.stop());
  dns.set('app.test', addresses(['127.0.0.33']));
  expect((await answer).body).toBe('127.0.0.33');
});

test('no answer at all: 502 after resolver_timeout, and the next request asks again', async () => {
  const { ask, dns, proxy } = await start((server) => `resolver 127.0.0.1:${server.port}; resolver_timeout 1s;`);
  dns.set('app.test', 'silent');
  expect((await ask('/app.test')).status).toBe(502);
  expect(proxy.errorLog()).toMatch(
    /\[error\] .*app\.test could not be resolved \(110: Operation timed out\), client: /,
  );
  dns.set('app.test', addresses(['127.0.0.31']));
  expect((await ask('/app.test')).body).toBe('127.0.0.31');
});

test('bytes that are no DNS do no harm', async () => {
  const { ask, dns } = await start((server) => `resolver 127.0.0.1:${server.port}; resolver_timeout 1s;`);
  dns.set('bad.test', 'garbage');
  dns.set('app.test', addresses(['127.0.0.31']));
  expect((await ask('/bad.test')).status).toBe(502);
  expect((await ask('/app.test')).body).toBe('127.0.0.31');
});

test('an address that refuses costs no request, as long as another one answers', async () => {
  const { ask, dns, proxy } = await start(plain);
  dns.set('app.test', addresses(['127.0.0.39', '127.0.0.31']));
  const bodies: string[] = [];
  for (let i = 0; i < 4; i++) bodies.push((await ask('/app.test')).body);
  expect(bodies).toEqual(['127.0.0.31', '127.0.0.31', '127.0.0.31', '127.0.0.31']);
  // As in nginx: each request begins anew, nothing is remembered of the one before.
  expect([...proxy.errorLog().matchAll(/connect\(\) failed \(111: Connection refused\)/g)].length).toBe(2);
});

test('X-Accel-Redirect and error_page lead to names, too', async () => {
  const dns = await DnsServer.start();
  onTestFinished(() => dns.stop());
  dns.set('app.test', addresses(['127.0.0.1']));
  const first = await ScriptedBackend.start({ script: [reply('', '200 OK', { 'X-Accel-Redirect': '/inner/x' })] });
  const second = await ScriptedBackend.start({ script: replyAndClose('inner') });
  onTestFinished(() => first.stop());
  onTestFinished(() => second.stop());
  const port = await freePort();
  const proxy = await startProxy({
    conf: `error_log error.log info;
events {}
http {
  access_log off;
  resolver 127.0.0.1:${dns.port};
  server {
    listen 127.0.0.1:${port};
    location /accel { set $to app.test; proxy_pass http://$to:${first.port}; }
    location /inner { internal; set $to app.test; proxy_pass http://$to:${second.port}; }
    location /page { error_page 404 /inner/page; return 404; }
  }
}
`,
  });
  onTestFinished(async () => void (await proxy.stop()));
  expect([(await get(port, '/accel')).body, (await get(port, '/page')).body]).toEqual(['inner', 'inner']);
});
