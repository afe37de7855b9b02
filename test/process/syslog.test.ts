import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { type SyslogReceiver, udpReceiver } from '../support/syslog-receiver.ts';
import { get, until, untilLogged } from './ask.ts';
import { prefixWith, runProgram } from './run-program.ts';

let proxy: RunningProxy | undefined;
const receivers: SyslogReceiver[] = [];
afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
  for (const receiver of receivers.splice(0)) await receiver.stop();
});

async function receive(port = 0): Promise<SyslogReceiver> {
  const receiver = await udpReceiver(port);
  receivers.push(receiver);
  return receiver;
}

const conf = (port: number, log: string, workers = 1) => `
  error_log error.log notice;
  worker_processes ${workers};
  events {}
  http { server { listen 127.0.0.1:${port}; access_log ${log}; location / { return 200 "$pid"; } } }`;

describe('logging to syslog', () => {
  test('a reload changes the server; the old one gets nothing more', async () => {
    const [port, first, second] = [await freePort(), await receive(), await receive()];
    proxy = await startProxy({ conf: conf(port, `syslog:server=${first.address}`) });
    await get(port, '/one');
    expect(await first.until(/GET \/one /)).toBeDefined();
    proxy.rewriteConf(conf(port, `syslog:server=${second.address},tag=new`));
    proxy.signal('SIGHUP');
    await until(async () => {
      await get(port, '/two');
      return second.messages.some((message) => message.includes(' new: ')) ? true : undefined;
    });
    const seen = first.messages.length;
    await get(port, '/three');
    expect(await second.until(/GET \/three /)).toBeDefined();
    expect(first.messages).toHaveLength(seen);
  });

  test('a server that is down is told of once; requests are answered; it gets lines when it is back', async () => {
    const [port, gone] = [await freePort(), await udpReceiver()];
    await gone.stop();
    proxy = await startProxy({ conf: conf(port, `syslog:server=${gone.address}`) });
    for (let i = 0; i < 20; i++) expect((await get(port)).status).toBe(200);
    expect(
      await untilLogged(proxy, /\[error\].* send\(\) failed \(111: Connection refused\) while logging to syslog/),
    ).toBe(true);
    const back = await receive(Number(gone.address.split(':')[1]));
    await until(async () => {
      await get(port, '/back');
      return back.messages.length > 0 ? true : undefined;
    });
    expect(proxy.errorLog().match(/while logging to syslog/g)).toHaveLength(1);
  });

  test('every worker logs, and USR1 changes nothing', async () => {
    const [port, receiver] = [await freePort(), await receive()];
    proxy = await startProxy({ conf: conf(port, `syslog:server=${receiver.address}`, 2) });
    proxy.signal('SIGUSR1');
    expect(await untilLogged(proxy, /reopening logs/)).toBe(true);
    const pids = new Set<string>();
    await until(async () => {
      pids.add((await get(port, `/${pids.size}`)).body);
      return pids.size === 2 ? true : undefined;
    });
    expect(await receiver.until(/GET \/1 /)).toBeDefined();
  });

  test('the error log of the main level tells of the workers too', async () => {
    const [port, receiver] = [await freePort(), await receive()];
    const main = `error_log syslog:server=${receiver.address},tag=main notice; error_log error.log notice;`;
    proxy = await startProxy({
      conf: `${main} events {} http { server { listen 127.0.0.1:${port}; return 200; } }`,
    });
    expect(await receiver.until(/^<189>.* main: .*\[notice\] .*start worker process \d+$/)).toBeDefined();
  });
});

test('a unix socket needs a Node that can make one, and the finding says so', async () => {
  const prefix = prefixWith({});
  writeFileSync(join(prefix, 'nginx.conf'), conf(8079, 'syslog:server=unix:/dev/log'));
  const args = ['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log', '-t'];
  const { code, stderr } = await runProgram(args, { env: { NODE_OPTIONS: '--no-experimental-ffi' } });
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /\[emerg\] "unix:\/dev\/log" cannot be logged to: it needs Linux and Node 26 or newer .*; let the log server listen on UDP and name that in .*nginx\.conf:5/,
  );
  rmSync(prefix, { recursive: true });
});

test.each(['stdout', 'stderr'] as const)('access_log /dev/%s', async (name) => {
  const [port, prefix] = [await freePort(), prefixWith({})];
  writeFileSync(join(prefix, 'nginx.conf'), `pid nginx.pid;\n${conf(port, `/dev/${name}`)}`);
  const args = ['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log'];
  const run = runProgram([...args, '-g', 'daemon off;']);
  await until(async () => ((await get(port, '/here').catch(() => null))?.status === 200 ? true : undefined));
  await until(async () => ((await runProgram([...args, '-s', 'quit'])).code === 0 ? true : undefined));
  expect((await run)[name]).toMatch(/^127\.0\.0\.1 - - \[.*"GET \/here HTTP\/1\.1" 200 /m);
  rmSync(prefix, { recursive: true });
});
