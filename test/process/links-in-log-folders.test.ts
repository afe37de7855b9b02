import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { makePrefix, type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { get, until } from './ask.ts';

const NOBODY = 65_534;

/** A folder of logs that belongs to the workers' user, and a file of root's. */
async function start(): Promise<{ proxy: RunningProxy; port: number; logs: string; secret: string }> {
  const port = await freePort();
  let logs = '';
  let secret = '';
  const proxy = await startProxy({
    conf: (prefix) => {
      logs = `${prefix}/logs`;
      secret = `${prefix}/secret`;
      mkdirSync(logs);
      chownSync(logs, NOBODY, NOBODY);
      writeFileSync(secret, 'root only\n');
      chmodSync(secret, 0o600);
      writeFileSync(`${prefix}/kept.log`, '');
      symlinkSync(`${prefix}/kept.log`, `${logs}/linked.log`);
      return `user nobody nogroup; worker_processes 1; error_log error.log info; events {}
        http { access_log ${logs}/access.log; server { listen 127.0.0.1:${port}; location / { return 200 ok; }
          location /linked { access_log ${logs}/linked.log; return 200 ok; } } }`;
    },
  });
  onTestFinished(async () => void (await proxy.stop()));
  return { proxy, port, logs, secret };
}

describe.skipIf(process.geteuid?.() !== 0)('started by root, in a folder that the workers may write to', () => {
  test('logs are handed to the workers, also through a link that root made', async () => {
    const { port, logs, proxy } = await start();
    expect(statSync(`${logs}/access.log`).uid).toBe(NOBODY);
    expect(statSync(`${proxy.prefix}/kept.log`).uid).toBe(NOBODY);
    await get(port, '/linked');
    await until(async () => (readFileSync(`${proxy.prefix}/kept.log`, 'latin1') === '' ? undefined : true));
  });

  test('a link that they put in the place of a log gives them nothing', async () => {
    const { proxy, port, logs, secret } = await start();
    const target = `${proxy.prefix}/roots/made`;
    mkdirSync(`${proxy.prefix}/roots`);
    for (const wanted of [secret, target]) {
      renameSync(`${logs}/access.log`, `${logs}/old.log`);
      symlinkSync(wanted, `${logs}/access.log`);
      lchownSync(`${logs}/access.log`, NOBODY, NOBODY);
      proxy.signal('SIGUSR1');
      await until(async () =>
        proxy.errorLog().includes(`open() "${logs}/access.log" failed (40: `) ? true : undefined,
      );
      expect(await get(port)).toMatchObject({ status: 200 });
      renameSync(`${logs}/old.log`, `${logs}/access.log`);
    }
    expect(statSync(secret)).toMatchObject({ uid: 0, mode: 0o100600 });
    expect(readFileSync(secret, 'latin1')).toBe('root only\n');
    expect(existsSync(target)).toBe(false);
  });

  test('a link in the place of the pid file is not followed', async () => {
    const port = await freePort();
    const folder = makePrefix('roots');
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(`${folder}/secret`, 'root only\n');
    symlinkSync(`${folder}/secret`, `${folder}/other.pid`);
    const started = startProxy({
      conf: `pid ${folder}/other.pid; error_log error.log; events {} http { access_log off; server { listen 127.0.0.1:${port}; } }`,
    });
    await expect(started).rejects.toThrow(/open\(\) ".*other\.pid" failed \(40: /);
    expect(readFileSync(`${folder}/secret`, 'latin1')).toBe('root only\n');
  });
});
