import { expect, onTestFinished, test } from 'vitest';
import { workerPids } from '../process/ask.ts';
import { freePort } from '../support/free-port.ts';
import { exchange, RawClient } from '../support/raw-client.ts';
import { reply, ScriptedBackend } from '../support/scripted-backend.ts';
import { startProxy } from '../support/start-proxy.ts';
import { get, siteConf, statuses } from './one-backend.ts';

test('reset_timedout_connection on a unix socket, which cannot be reset: closed, and the worker lives on', async () => {
  const backend = await ScriptedBackend.start({ script: reply('x'.repeat(4_000_000)) });
  onTestFinished(() => backend.stop());
  const port = await freePort();
  const proxy = await startProxy({
    conf: (prefix) =>
      siteConf(port, `127.0.0.1:${backend.port}`, {
        server: `listen unix:${prefix}/clients; reset_timedout_connection on; send_timeout 200ms; location = /ok { return 200 ok; }`,
        location: 'proxy_max_temp_file_size 0;',
      }),
  });
  onTestFinished(async () => void (await proxy.stop()));
  const path = `${proxy.prefix}/clients`;
  const [worker] = workerPids(proxy);

  const client = await RawClient.connect({ path });
  onTestFinished(() => client.close());
  client.socket.pause();
  client.send(get());
  await expect.poll(() => proxy.errorLog()).toContain('client timed out (110: Connection timed out)');
  expect(statuses(await exchange({ path }, get('/ok', 'Connection: close\r\n')))).toEqual([200]);
  expect(workerPids(proxy)).toEqual([worker]);
  expect(proxy.errorLog()).not.toContain('[alert]');
});
