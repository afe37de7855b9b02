import { afterEach, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { EVENKEEL, type Program } from '../support/program.ts';
import { RawClient } from '../support/raw-client.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { untilLogged } from './ask.ts';
import { oneServer } from './conf.ts';

let proxy: RunningProxy | undefined;
const clients: RawClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await proxy?.stop();
  proxy = undefined;
});

/** Not idle: idle ones make room. */
const BEGUN = 'GET / HTTP/1.1\r\nHost: test\r\n';

test('out of file descriptors: accepting pauses and says so once, what is open is served, the rest waits its turn', async () => {
  const port = await freePort();
  const program: Program = {
    name: 'evenkeel',
    command: ['/bin/sh', '-c', 'ulimit -n 128; exec "$@"', 'sh', ...EVENKEEL.command],
  };
  proxy = await startProxy({ conf: oneServer(port), program });
  for (let i = 0; i < 150; i++) {
    const client = await RawClient.connect({ port });
    clients.push(client);
    client.send(BEGUN);
  }
  expect(await untilLogged(proxy, /\[crit\] .*\(24: Too many open files\)/)).toBe(true);
  const [first] = clients;
  first?.send('\r\n');
  expect(await first?.untilResponses(1)).toBe(true);
  const last = clients.at(-1);
  last?.send('\r\n');
  expect(last?.ending).toBe('open');
  expect(last?.received).toBe('');
  expect(proxy.errorLog().match(/Too many open files/g)).toHaveLength(1);
  for (const client of clients.slice(0, 100)) client.close();
  expect(await last?.untilResponses(1)).toBe(true);
});
