import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { exchange, RawClient } from '../support/raw-client.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { get, until, untilLogged, workerPids } from './ask.ts';
import { oneServer } from './conf.ts';
import { prefixWith, runProgram } from './run-program.ts';

let proxy: RunningProxy | undefined;

afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
});

describe('the error log', () => {
  test("has nginx's line: time, level, pid#tid, connection, text, and the request's context in its order", async () => {
    const [port, gone] = [await freePort(), await freePort()];
    const conf = oneServer(port, `proxy_pass http://127.0.0.1:${gone};`).replace(
      'listen',
      'server_name a.test; listen',
    );
    proxy = await startProxy({ conf });
    const [worker] = workerPids(proxy);
    await exchange({ port }, 'GET /x?y HTTP/1.1\r\nHost: a.test\r\nReferer: http://from/\r\nConnection: close\r\n\r\n');
    expect(await untilLogged(proxy, /connect\(\) failed/)).toBe(true);
    const line =
      proxy
        .errorLog()
        .split('\n')
        .find((candidate) => candidate.includes('connect() failed')) ?? '';
    expect(line.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /, '')).toBe(
      `[error] ${worker}#${worker}: *1 connect() failed (111: Connection refused) while connecting to upstream, ` +
        `client: 127.0.0.1, server: a.test, request: "GET /x?y HTTP/1.1", upstream: "http://127.0.0.1:${gone}/x?y", ` +
        'host: "a.test", referrer: "http://from/"',
    );
  });

  test('of a location takes the place of the main one; json is one object a line', async () => {
    const [port, gone] = [await freePort(), await freePort()];
    const body = `error_log own.log error json; proxy_pass http://127.0.0.1:${gone};`;
    proxy = await startProxy({ conf: oneServer(port, body) });
    await get(port);
    proxy.signal('SIGQUIT');
    await proxy.exited;
    expect(proxy.errorLog()).not.toContain('connect() failed');
    const [line = ''] = proxy.read('own.log').split('\n');
    expect(JSON.parse(line)).toMatchObject({
      level: 'error',
      connection: 1,
      client: '127.0.0.1',
      request: 'GET / HTTP/1.1',
      msg: 'connect() failed (111: Connection refused) while connecting to upstream',
    });
  });

  test('error_log stderr goes to stderr', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port).replace('error.log notice', 'stderr notice') });
    proxy.signal('SIGQUIT');
    await proxy.exited;
    expect(proxy.stderr).toMatch(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[notice\] \d+#\d+: /);
    expect(proxy.stderr).toMatch(/worker process \d+ exited with code 0\n/);
  });
});

test('error_log stderr in the background: stderr is still that of who started it', async () => {
  const [port, prefix] = [await freePort(), prefixWith({})];
  writeFileSync(
    join(prefix, 'nginx.conf'),
    `pid nginx.pid;\n${oneServer(port).replace('error.log notice', 'stderr notice')}`,
  );
  const args = ['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log'];
  // Ends when nobody holds its stderr any more: as with nginx, that is when the daemon has ended.
  const run = runProgram(args);
  await until(async () => ((await get(port).catch(() => null))?.status === 200 ? true : undefined));
  await until(async () => ((await runProgram([...args, '-s', 'quit'])).code === 0 ? true : undefined));
  const { code, stderr } = await run;
  expect(code).toBe(0);
  expect(stderr).toMatch(/ \[notice\] \d+#\d+: worker process \d+ exited with code 0\n/);
  rmSync(prefix, { recursive: true });
});

test("the access-log line is written before the client's connection is closed", async () => {
  const port = await freePort();
  proxy = await startProxy({ conf: oneServer(port).replace('access_log off', 'access_log access.log') });
  for (let i = 1; i <= 30; i++) {
    const client = await RawClient.connect({ port });
    client.send(`GET /${i} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`);
    await client.untilClosed();
    expect(proxy.read('access.log')).toContain(`"GET /${i} HTTP/1.1" 200`);
  }
});

test('one process is proxy and backend in one configuration, and takes exact turns', async () => {
  const [port, a, b] = [await freePort(), await freePort(), await freePort()];
  const conf = oneServer(port, 'proxy_pass http://both;').replace(
    'server {',
    `upstream both { server 127.0.0.1:${a}; server 127.0.0.1:${b}; }
     server { listen 127.0.0.1:${a}; return 200 a; }
     server { listen 127.0.0.1:${b}; return 200 b; }
     server {`,
  );
  proxy = await startProxy({ conf });
  let sequence = '';
  for (let i = 0; i < 8; i++) sequence += (await get(port)).body;
  expect(sequence).toBe('abababab');
});

test('master_process off: HUP takes the new configuration, addresses come and go', async () => {
  const [stays, goes, comes] = [await freePort(), await freePort(), await freePort()];
  const conf = (body: string, ...ports: number[]): string =>
    oneServer(ports.map((port) => `127.0.0.1:${port}`).join('; listen '), `return 200 ${body};`, 'master_process off;');
  proxy = await startProxy({ conf: conf('one', stays, goes) });
  expect((await get(goes)).body).toBe('one');
  proxy.rewriteConf(conf('two', stays, comes));
  proxy.signal('SIGHUP');
  for (let i = 0; i < 1000 && (await get(comes).catch(() => null)) === null; i++);
  expect([(await get(comes)).body, (await get(stays)).body]).toEqual(['two', 'two']);
  await expect(get(goes)).rejects.toThrow('ECONNREFUSED');
});
