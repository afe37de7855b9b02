import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { SPAN } from '../../src/process/connection-numbers.ts';
import { freePort } from '../support/free-port.ts';
import { RawClient } from '../support/raw-client.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { get, until, untilLogged, workerPids } from './ask.ts';
import { oneServer } from './conf.ts';

let proxy: RunningProxy | undefined;

afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
});

const PID = 'return 200 "$pid";';

describe('a worker that ends', () => {
  test('by KILL: an alert, a new one at once, and connections meanwhile wait instead of failing', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port, PID) });
    const [first = 0] = workerPids(proxy);
    process.kill(first, 'SIGKILL');
    const answers = await Promise.all([get(port), get(port), get(port)]);
    const [second] = workerPids(proxy);
    expect(second).not.toBe(first);
    expect(new Set(answers.map((answer) => answer.body))).toEqual(new Set([String(second)]));
    expect(proxy.errorLog()).toMatch(new RegExp(`\\[alert\\] .* worker process ${first} exited on signal 9\\n`));
  });

  test('by TERM: no alert, and a new one', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port, PID) });
    const [first = 0] = workerPids(proxy);
    process.kill(first, 'SIGTERM');
    expect(await untilLogged(proxy, new RegExp(`worker process ${first} exited with code 0\\n`))).toBe(true);
    expect((await get(port)).body).toBe(String(workerPids(proxy)[0]));
    expect(proxy.errorLog()).not.toContain('[alert]');
  });

  test.each([
    ['SIGQUIT', 'notice', 'exited with code 0'],
    ['SIGINT', 'notice', 'exited with code 0'],
    ['SIGABRT', 'alert', 'exited on signal 6'],
    ['SIGSEGV', 'alert', 'exited on signal 11'],
  ] as const)('by %s: the log tells of it as %s, and there is a new one', async (signal, level, end) => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port, PID) });
    const [first = 0] = workerPids(proxy);
    process.kill(first, signal);
    expect(await untilLogged(proxy, new RegExp(`\\[${level}\\] .*: worker process ${first} ${end}\\n`))).toBe(true);
    expect((await get(port)).body).toBe(String(workerPids(proxy)[0]));
  });

  test("takes only its own connections along; the others' live on", async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port, PID, 'worker_processes 2;') });
    const [victim = 0] = workerPids(proxy);
    const clients = await Promise.all(Array.from({ length: 16 }, () => RawClient.connect({ port })));
    const served = new Map<RawClient, string>();
    for (const client of clients) {
      client.send('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
      await client.untilResponses(1);
      served.set(client, client.responses()[0]?.body ?? '');
    }
    process.kill(victim, 'SIGKILL');
    for (const client of clients) {
      if (served.get(client) === String(victim)) {
        expect(await client.untilClosed()).not.toBe('open');
      } else {
        client.send('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
        expect(await client.untilResponses(2)).toBe(true);
      }
      client.close();
    }
    const read = (): string => proxy?.errorLog() ?? '';
    await until(async () => ((read().match(/start worker process \d+/g)?.length ?? 0) === 3 ? true : undefined));
  });

  test('before it can serve: it is tried again, later each time, until it can', async () => {
    const port = await freePort();
    proxy = await startProxy({
      conf: oneServer(port, PID).replace('access_log off', 'access_log logs/access.log'),
      files: { 'logs/.keep': '' },
    });
    const [first = 0] = workerPids(proxy);
    const [here, away] = [join(proxy.prefix, 'logs'), join(proxy.prefix, 'away')];
    renameSync(here, away);
    process.kill(first, 'SIGTERM');
    expect(await untilLogged(proxy, /(\[emerg\] .*open\(\) ".*logs\/access.log" failed[\s\S]*){2}/)).toBe(true);
    const waiting = get(port);
    renameSync(away, here);
    expect(await waiting).toMatchObject({ status: 200 });
  });

  test('its connection numbers are nobody else’s, and those of a worker follow each other', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port, 'return 200 "$connection";', 'worker_processes 2;') });
    const numbers: string[] = [];
    for (let i = 0; i < 12; i++) numbers.push((await get(port)).body);
    for (const pid of workerPids(proxy)) process.kill(pid, 'SIGTERM');
    const replaced = (): number => proxy?.errorLog().match(/start worker process/g)?.length ?? 0;
    await until(async () => (replaced() === 4 ? true : undefined));
    for (let i = 0; i < 12; i++) numbers.push((await get(port)).body);
    expect(new Set(numbers).size).toBe(24);
    // Which workers the kernel chose is not ours to say: each counts on from the first number of a span of its own.
    const spans = Map.groupBy(numbers.map(Number), (number) => Math.floor((number - 1) / SPAN));
    for (const [span, taken] of spans) expect(taken).toEqual(taken.map((_, i) => span * SPAN + 1 + i));
  });

  test('its totals stay in stub_status, its connections do not', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port, 'stub_status;') });
    const [first = 0] = workerPids(proxy);
    await get(port);
    await get(port);
    process.kill(first, 'SIGTERM');
    expect(await untilLogged(proxy, /exited with code 0/)).toBe(true);
    expect((await get(port)).body).toBe(
      'Active connections: 1 \nserver accepts handled requests\n 3 3 3 \nReading: 0 Writing: 1 Waiting: 0 \n',
    );
  });
});
