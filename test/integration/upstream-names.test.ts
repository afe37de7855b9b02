import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { get, until } from '../process/ask.ts';
import { freePort } from '../support/free-port.ts';
import { replyAndClose, ScriptedBackend } from '../support/scripted-backend.ts';
import { makePrefix, type RunningProxy, startProxy } from '../support/start-proxy.ts';

type Names = Readonly<Record<string, readonly string[]>>;

const PRELOAD = new URL('../support/fake-names.ts', import.meta.url).href;
const RETRY_MS = 10_000;

interface Site {
  readonly proxy: RunningProxy;
  readonly port: number;
  /** Port of the backends, one of which listens on each of ADDRESSES. */
  readonly backendPort: number;
  say(names: Names): void;
  /** Bodies of so many requests, one after the other; the status where it is not 200. */
  ask(count: number, path?: string): Promise<string[]>;
}

const ADDRESSES = ['127.0.0.21', '127.0.0.22', '127.0.0.23'];

/** Names resolve as `names` says. `PORT` in the configuration is the backends' port. */
async function start(names: Names, upstream: string, more = '', workers = 1): Promise<Site> {
  const [port, backendPort] = [await freePort(), await freePort()];
  for (const host of ADDRESSES) {
    const backend = await ScriptedBackend.start({ host, port: backendPort, script: replyAndClose(host) });
    onTestFinished(() => backend.stop());
  }
  const file = join(makePrefix('names'), 'names.json');
  const say = (said: Names): void => writeFileSync(file, JSON.stringify(said));
  say(names);
  const conf = `worker_processes ${workers};
error_log error.log notice;
events {}
http {
    access_log off;
    upstream u { ${upstream} }
    server {
        listen 127.0.0.1:${port};
        location / { proxy_pass http://u; }
        location = /lb_status { lb_status; }
        location = /pid { return 200 "$pid"; }
        ${more}
    }
}
`.replaceAll('PORT', String(backendPort));
  const proxy = await startProxy({ conf, env: { NODE_OPTIONS: `--import=${PRELOAD}`, EVENKEEL_FAKE_NAMES: file } });
  onTestFinished(async () => void (await proxy.stop()));
  const ask = async (count: number, path = '/'): Promise<string[]> => {
    const answers: string[] = [];
    for (let i = 0; i < count; i++) {
      const { status, body } = await get(port, path);
      answers.push(status === 200 ? body : String(status));
    }
    return answers;
  };
  return { proxy, port, backendPort, say, ask };
}

const [A, B, C] = ADDRESSES as [string, string, string];

describe('a name with several addresses', () => {
  test('is as many peers, in their order', async () => {
    const { ask } = await start({ 'two.test': [A, B] }, 'server two.test:PORT;');
    expect(await ask(4)).toEqual([A, B, A, B]);
  });

  test('each of which has the parameters of the line', async () => {
    const { ask } = await start(
      { 'two.test': [A, B], 'one.test': [C] },
      'server two.test:PORT weight=2; server one.test:PORT;',
    );
    const count = (bodies: string[], body: string): number => bodies.filter((one) => one === body).length;
    const bodies = await ask(10);
    expect([A, B, C].map((body) => count(bodies, body))).toEqual([4, 4, 2]);
  });

  test('a backup too', async () => {
    const { ask } = await start({ 'two.test': [A, B] }, 'server 127.0.0.24:PORT; server two.test:PORT backup;');
    expect(await ask(3)).toEqual([A, B, A]);
  });

  test('one of them that refuses is left out', async () => {
    const { ask } = await start({ 'two.test': [A, '127.0.0.24', B] }, 'server two.test:PORT;');
    const bodies = await ask(6);
    expect(new Set(bodies)).toEqual(new Set([A, B]));
  });

  test('in proxy_pass itself', async () => {
    const { ask } = await start(
      { 'two.test': [A, B] },
      'server 127.0.0.1:1;',
      'location /direct { proxy_pass http://two.test:PORT; }',
    );
    expect(await ask(4, '/direct')).toEqual([A, B, A, B]);
  });
});

describe('a name that does not resolve', () => {
  test('does not stop the start; the others serve', async () => {
    const { ask, proxy } = await start({}, 'server gone.test:PORT; server 127.0.0.21:PORT;');
    expect(await ask(3)).toEqual([A, A, A]);
    expect(proxy.errorLog()).toMatch(
      /\[warn\] \d+#\d+: host not found in upstream "gone\.test:\d+", the server counts as down and the name is retried in \S+nginx\.conf:7\n/,
    );
  });

  test('alone: 502 and no live upstreams, until it resolves', { timeout: 30_000 }, async () => {
    const { ask, proxy, say } = await start({}, 'server late.test:PORT;');
    expect(await ask(2)).toEqual(['502', '502']);
    expect(proxy.errorLog()).toMatch(
      /\[error\] .*no live upstreams while connecting to upstream, client: .* upstream: "http:\/\/u\/"/,
    );
    say({ 'late.test': [A, B] });
    await until(async () => ((await ask(1))[0] === '502' ? undefined : true), RETRY_MS);
    expect(new Set(await ask(4))).toEqual(new Set([A, B]));
  });

  test('in proxy_pass itself: 502 until it resolves', { timeout: 30_000 }, async () => {
    const { ask, say } = await start(
      {},
      'server 127.0.0.1:1;',
      'location /direct { proxy_pass http://late.test:PORT; }',
    );
    expect(await ask(1, '/direct')).toEqual(['502']);
    say({ 'late.test': [B] });
    await until(async () => ((await ask(1, '/direct'))[0] === B ? true : undefined), RETRY_MS);
  });

  for (const zone of ['', 'zone z 64k;']) {
    test(`${zone === '' ? 'without' : 'with'} a zone: every worker hears of it`, { timeout: 30_000 }, async () => {
      const { ask, say } = await start({}, `${zone} server late.test:PORT; server 127.0.0.1:1 down;`, '', 3);
      expect(await ask(6)).toEqual(Array(6).fill('502'));
      say({ 'late.test': [C] });
      await until(async () => ((await ask(1))[0] === C ? true : undefined), RETRY_MS);
      const pids = new Set<string>();
      await until(async () => {
        expect(await ask(1)).toEqual([C]);
        pids.add((await ask(1, '/pid'))[0] ?? '');
        return pids.size === 3 ? true : undefined;
      }, RETRY_MS);
      expect(await ask(12)).toEqual(Array(12).fill(C));
    });
  }

  test('a reload asks anew, for those that were found as well', { timeout: 30_000 }, async () => {
    const { ask, proxy, say } = await start({ 'moves.test': [A] }, 'server moves.test:PORT; server gone.test:PORT;');
    expect(await ask(2)).toEqual([A, A]);
    say({ 'moves.test': [B], 'gone.test': [C] });
    proxy.signal('SIGHUP');
    await until(async () => ((await ask(1))[0] === A ? undefined : true), RETRY_MS);
    expect(new Set(await ask(4))).toEqual(new Set([B, C]));
  });
});
