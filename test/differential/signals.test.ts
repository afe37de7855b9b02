import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { within } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { EVENKEEL, NGINX, type Program } from '../support/program.ts';
import { exchange, RawClient } from '../support/raw-client.ts';
import { reply, ScriptedBackend } from '../support/scripted-backend.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { request } from './client-script.ts';
import { IS_ORACLE_ONLY, oracleOrSkip } from './compare.ts';
import { runCommand } from './run-command.ts';

interface Scene {
  readonly proxy: RunningProxy;
  readonly port: number;
  readonly backend: ScriptedBackend;
  conf(body: string): string;
}

/** What happens around a signal, told in lines; both programs have to tell the same. */
type Story = (scene: Scene) => Promise<readonly string[]>;

const STORIES: Readonly<Record<string, Story>> = {
  'TERM stops at once, the pid file goes': async ({ proxy, port }) => {
    const idle = await RawClient.connect({ port });
    proxy.signal('SIGTERM');
    const exit = await proxy.exited;
    return [`exit ${exit.code}`, `pid file ${existsSync(proxy.pidFile)}`, `idle client ${await idle.untilClosed()}`];
  },
  'INT stops at once': async ({ proxy }) => {
    proxy.signal('SIGINT');
    return [`exit ${(await proxy.exited).code}`];
  },
  'QUIT lets a response in flight finish': async ({ proxy, port }) => {
    const busy = await RawClient.connect({ port });
    busy.send(request('/slow', { keep: true }));
    const kept = await RawClient.connect({ port });
    kept.send(request('/', { keep: true }));
    await kept.untilResponses(1);
    await sleep(100);
    proxy.signal('SIGQUIT');
    const endings = [`kept ${await kept.untilClosed()}`];
    await busy.untilClosed();
    const exit = await proxy.exited;
    const [response] = busy.responses();
    const connection = response?.headers.find(([name]) => name === 'Connection')?.[1];
    return [...endings, `${response?.startLine}, ${response?.body}, ${connection}`, `exit ${exit.code}`];
  },
  'HUP takes the new configuration, the pid stays': async ({ proxy, port, conf }) => {
    const before = proxy.read('nginx.pid');
    proxy.rewriteConf(conf('location / { return 200 "second"; }'));
    proxy.signal('SIGHUP');
    const second = await untilAnswered(port, 'second');
    return [
      second,
      `same pid ${proxy.read('nginx.pid') === before}`,
      `[emerg] ${proxy.errorLog().includes('[emerg]')}`,
    ];
  },
  'HUP with a finding keeps the old configuration': async ({ proxy, port, conf }) => {
    proxy.rewriteConf(conf('location / { return 200 "second"; nonsense; }'));
    proxy.signal('SIGHUP');
    await untilLogged(proxy, '[emerg]');
    const finding = /\[emerg\] \d+#\d+: (.*) in /.exec(proxy.errorLog())?.[1];
    return [`${finding}`, (await exchange({ port }, request('/'))).responses()[0]?.body ?? ''];
  },
  'HUP: a request that has begun keeps its configuration': async ({ proxy, port, conf }) => {
    const busy = await RawClient.connect({ port });
    busy.send(request('/slow'));
    await sleep(100);
    proxy.rewriteConf(conf('location / { return 200 "second"; }'));
    proxy.signal('SIGHUP');
    const second = await untilAnswered(port, 'second');
    await busy.untilClosed();
    return [second, busy.responses()[0]?.body ?? ''];
  },
  'USR1 reopens the logs': async ({ proxy, port }) => {
    await exchange({ port }, request('/before'));
    await untilIn(proxy, 'access.log', '/before');
    renameSync(join(proxy.prefix, 'access.log'), join(proxy.prefix, 'old-access.log'));
    renameSync(join(proxy.prefix, 'error.log'), join(proxy.prefix, 'old-error.log'));
    proxy.signal('SIGUSR1');
    for (
      let i = 0;
      i < 200 && !(existsSync(join(proxy.prefix, 'access.log')) && existsSync(join(proxy.prefix, 'error.log')));
      i++
    )
      await sleep(10);
    await sleep(100);
    await exchange({ port }, request('/after'));
    await untilIn(proxy, 'access.log', '/after');
    return [
      `old ${proxy.read('old-access.log').includes('/before')} ${proxy.read('old-access.log').includes('/after')}`,
      `new ${proxy.read('access.log').includes('/after')}`,
    ];
  },
  'a worker that dies is replaced': async ({ proxy, port }) => {
    const worker = Number(await untilAnswered(port, '', '/pid'));
    const isOther = worker !== proxy.pid;
    process.kill(worker, 'SIGKILL');
    await untilLogged(proxy, `process ${worker} exited on signal 9`);
    const body = await untilAnswered(port, '', '/pid');
    return [
      `worker is another process ${isOther}`,
      `new worker ${Number(body) !== worker && Number(body) > 0}`,
      `alert ${/\[alert\] .*worker process \d+ exited on signal 9/.test(proxy.errorLog())}`,
    ];
  },
  '-s stop, quit, reload, reopen': async ({ proxy }) => {
    const send = (signal: string) =>
      runCommand(proxy.program, {
        args: ['-p', `${proxy.prefix}/`, '-c', 'nginx.conf', '-e', 'error.log', '-s', signal],
        isBare: true,
      });
    const told: string[] = [];
    for (const signal of ['reopen', 'reload', 'quit']) {
      const said = await send(signal);
      told.push(`${signal}: exit ${said.code}, ${said.stderr}`);
      await sleep(300);
    }
    told.push(`ended ${(await proxy.exited).code}`);
    return told;
  },
  'a port that is taken': async ({ proxy, port }) => {
    const second = startProxy({
      program: proxy.program,
      conf: `events {}\nhttp { server { listen 127.0.0.1:${port}; } }`,
    });
    const message = await second.then(
      () => 'started',
      (error: Error) => error.message,
    );
    const line = /bind\(\) to 127\.0\.0\.1:\d+ failed \(98: [^)]*\)/.exec(message)?.[0] ?? message;
    return [
      line.replace(String(port), 'PORT'),
      /exit 1/.exec(message)?.[0] ?? '',
      `${message.includes('still could not bind()')}`,
    ];
  },
};

describe.skipIf(oracleOrSkip('signals') === undefined)('signals', () => {
  for (const [title, story] of Object.entries(STORIES)) {
    it(title, async () => {
      const oracle = NGINX ?? EVENKEEL;
      const [nginx, evenkeel] = await Promise.all([
        play(oracle, story),
        play(IS_ORACLE_ONLY ? oracle : EVENKEEL, story),
      ]);
      if (process.env['EVENKEEL_SHOW'] === '1') console.log(`${title}\n${nginx.join('\n')}`);
      expect(evenkeel, 'evenkeel (received) against nginx (expected)').toEqual(nginx);
    });
  }
});

async function play(program: Program, story: Story): Promise<readonly string[]> {
  const port = await freePort();
  const backend = await ScriptedBackend.start({
    script: (got) => (got.target === '/slow' ? [500, reply('slow')] : reply('quick')),
  });
  const conf = (body: string) => `
    pid nginx.pid;
    error_log error.log notice;
    events {}
    http {
      client_body_temp_path client_body_temp;
      proxy_temp_path proxy_temp;
      access_log access.log;
      server { listen 127.0.0.1:${port}; ${body} }
    }`;
  const first = `location / { return 200 "first"; } location /pid { return 200 $pid; } location /slow { proxy_pass http://127.0.0.1:${backend.port}; }`;
  const proxy = await startProxy({ program, conf: conf(first) });
  try {
    await untilAnswered(port, ''); // nginx loses a signal that comes between its pid file and its first worker
    return await within(story({ proxy, port, backend, conf }), 20_000, `${program.name}: the story`);
  } finally {
    await proxy.stop();
    await backend.stop();
  }
}

/** Asks until the body is `expected` ('' takes any), at most 5 s; gives the last body. */
async function untilAnswered(port: number, expected: string, target = '/'): Promise<string> {
  let body = '';
  for (let i = 0; i < 250; i++) {
    const client = await exchange({ port }, request(target)).catch(() => undefined); // between two workers a connection may break
    body = client?.responses()[0]?.body ?? '';
    if (body !== '' && (expected === '' || body === expected)) return body;
    await sleep(20);
  }
  return body;
}

async function untilLogged(proxy: RunningProxy, text: string): Promise<void> {
  await untilIn(proxy, 'error.log', text);
}

async function untilIn(proxy: RunningProxy, file: string, text: string): Promise<void> {
  for (let i = 0; i < 250 && !proxy.read(file).includes(text); i++) await sleep(20);
}
