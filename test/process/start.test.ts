import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { EVENKEEL, type Program } from '../support/program.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { get, isAlive, until, untilGone, workerPids } from './ask.ts';
import { oneServer } from './conf.ts';
import { prefixWith, runProgram } from './run-program.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const mayRaiseLimits =
  spawnSync('/bin/sh', ['-c', 'ulimit -n 256 && prlimit --pid $$ --nofile=2000:2000'], { stdio: 'ignore' }).status ===
  0;

let proxy: RunningProxy | undefined;
const prefixes: string[] = [];

afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
  for (const prefix of prefixes.splice(0)) rmSync(prefix, { recursive: true, force: true });
});

function prefixOf(files: Readonly<Record<string, string>>): string {
  const prefix = prefixWith(files);
  prefixes.push(prefix);
  return prefix;
}

/** A start that is looked at while it is under way. */
function beginStart(conf: string) {
  const prefix = prefixOf({ 'nginx.conf': `pid nginx.pid;\n${conf}` });
  const [executable, ...before] = EVENKEEL.command;
  const args = ['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log', '-g', 'daemon off;'];
  const child = spawn(executable, [...before, ...args], { stdio: 'ignore' });
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const file = join(prefix, 'error.log');
  return { prefix, child, code, log: () => (existsSync(file) ? readFileSync(file, 'latin1') : '') };
}

async function squat(port: number): Promise<Server> {
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve));
  return squatter;
}

describe('start', () => {
  test('the started process is the primary and writes its own pid; whoever sees the file can connect', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port) });
    expect(await get(port)).toEqual({ status: 200, body: 'one' });
    expect(readFileSync(proxy.pidFile, 'latin1')).toBe(`${proxy.pid}\n`);
  });

  test("one worker is the default, and $pid is its pid, not the primary's", async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port, 'return 200 "$pid";') });
    expect(workerPids(proxy)).toHaveLength(1);
    expect((await get(port)).body).toBe(String(workerPids(proxy)[0]));
  });

  test('relative -c, -e, pid and logs hang under -p, whatever the current folder', async () => {
    const port = await freePort();
    proxy = await startProxy({
      conf: `${oneServer(port).replace('access_log off', 'access_log logs/access.log')}`,
      files: { 'logs/.keep': '' },
    });
    await get(port);
    expect(existsSync(join(proxy.prefix, 'error.log'))).toBe(true);
    expect(proxy.read('logs/access.log')).toContain('"GET / HTTP/1.1" 200');
  });

  test('the pid file comes when every address is bound, not before', async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
    const squatter = await squat(ports.at(-1) ?? 0);
    const conf = oneServer(ports.map((port) => `127.0.0.1:${port}`).join('; listen '));
    const start = beginStart(conf);
    await until(async () => (start.log().includes('try again to bind()') ? true : undefined));
    expect(existsSync(join(start.prefix, 'nginx.pid'))).toBe(false);
    squatter.close();
    await until(async () => (existsSync(join(start.prefix, 'nginx.pid')) ? true : undefined));
    for (const port of ports) expect(await get(port)).toMatchObject({ status: 200 });
    start.child.kill('SIGTERM');
    expect(await start.code).toBe(0);
  });

  test('error_log debug is taken', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port).replace('error.log notice', 'error.log debug') });
    expect((await get(port)).status).toBe(200);
  });

  test('a bad configuration: every finding on stderr and in the error log, exit 1, no pid file', async () => {
    const prefix = prefixOf({ 'nginx.conf': 'pid nginx.pid;\nevents {}\nworker_processes x;\nbogus on;\n' });
    const run = await runProgram(['-p', `${prefix}/`, '-c', 'nginx.conf', '-e', 'error.log', '-g', 'daemon off;']);
    expect(run.code).toBe(1);
    const findings = [
      '"worker_processes" directive invalid value in PATH:3',
      'unknown directive "bogus" in PATH:4',
    ].map((text) => text.replace('PATH', `${prefix}/nginx.conf`));
    for (const finding of findings) {
      expect(run.stderr).toContain(`nginx: [emerg] ${finding}\n`);
      expect(readFileSync(join(prefix, 'error.log'), 'latin1')).toContain(`[emerg] `);
      expect(readFileSync(join(prefix, 'error.log'), 'latin1')).toContain(finding);
    }
    expect(existsSync(join(prefix, 'nginx.pid'))).toBe(false);
  });

  test("an address in use: five tries, then exit 1 with nginx's words", async () => {
    const port = await freePort();
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve));
    const prefix = prefixOf({ 'nginx.conf': `pid nginx.pid;\n${oneServer(port)}` });
    const began = performance.now();
    const run = await runProgram(['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log', '-g', 'daemon off;']);
    squatter.close();
    const line = `nginx: [emerg] bind() to 127.0.0.1:${port} failed (98: Address already in use)\n`;
    expect(run.code).toBe(1);
    expect(run.stderr).toBe(`${line.repeat(5)}nginx: [emerg] still could not bind()\n`);
    expect(performance.now() - began).toBeGreaterThan(2000);
    expect(existsSync(join(prefix, 'nginx.pid'))).toBe(false);
  });

  test('told to leave while it tries again: it ends at once, binds and starts nothing any more, exit 1', async () => {
    const port = await freePort();
    const squatter = await squat(port);
    const { child, code, log } = beginStart(oneServer(port));
    await until(async () => (log().includes('try again to bind()') ? true : undefined));
    child.kill('SIGTERM');
    squatter.close();
    expect(await code).toBe(1);
    expect(log()).toMatch(/signal 15 \(SIGTERM\) received, exiting\n.*\[notice\] \d+#\d+: exit\n$/);
    expect(log()).not.toContain('start worker');
    await expect(get(port)).rejects.toThrow('ECONNREFUSED');
  });

  test('an address that is not ours fails at once', async () => {
    const prefix = prefixOf({ 'nginx.conf': `pid nginx.pid;\n${oneServer('203.0.113.1:8080')}` });
    const run = await runProgram(['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log', '-g', 'daemon off;']);
    expect(run).toMatchObject({
      code: 1,
      stderr: 'nginx: [emerg] bind() to 203.0.113.1:8080 failed (99: Cannot assign requested address)\n',
    });
  });

  test("a pid file that can't be written stops the start", async () => {
    const port = await freePort();
    const prefix = prefixOf({ 'nginx.conf': `pid no/such/nginx.pid;\n${oneServer(port)}` });
    const run = await runProgram(['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log', '-g', 'daemon off;']);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(`[emerg] open() "${prefix}/no/such/nginx.pid" failed (2: No such file or directory)`);
    await expect(get(port)).rejects.toThrow('ECONNREFUSED');
  });

  test("an error log that can't be opened at the first moment is an alert; the start goes on", async () => {
    const prefix = prefixOf({ 'nginx.conf': oneServer(1) });
    const run = await runProgram(['-p', prefix, '-c', 'nginx.conf', '-e', 'no/such.log', '-t']);
    expect(run.code).toBe(0);
    expect(run.stderr).toContain(
      `nginx: [alert] could not open error log file: open() "${prefix}/no/such.log" failed (2: No such file or directory)`,
    );
  });

  test('daemon on: the command returns 0 when it serves, the daemon has a pid of its own', async () => {
    const port = await freePort();
    const prefix = prefixOf({ 'nginx.conf': `pid nginx.pid;\n${oneServer(port)}` });
    const run = await runProgram(['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log']);
    expect(run).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await get(port)).toMatchObject({ status: 200 });
    const pid = Number(readFileSync(join(prefix, 'nginx.pid'), 'latin1'));
    const stop = await runProgram(['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log', '-s', 'quit']);
    expect(stop.code).toBe(0);
    expect(await untilGone(join(prefix, 'nginx.pid'))).toBe(true);
    expect(await untilGone(`/proc/${pid}`)).toBe(true);
  });

  test('daemon on: a start that fails in the background is seen in the foreground', async () => {
    const prefix = prefixOf({ 'nginx.conf': `pid nginx.pid;\n${oneServer('203.0.113.1:8080')}` });
    const run = await runProgram(['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log']);
    expect(run).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('[emerg] bind() to 203.0.113.1:8080 failed'),
    });
  });

  test('master_process off: one process serves and obeys', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port, 'return 200 "$pid";', 'master_process off;') });
    expect((await get(port)).body).toBe(String(proxy.pid));
    expect((await proxy.stop('SIGQUIT')).code).toBe(0);
    proxy = undefined;
  });
});

test('worker_processes auto: one for each core', async () => {
  const port = await freePort();
  proxy = await startProxy({ conf: oneServer(port, 'return 200 ok;', 'worker_processes auto;') });
  expect(workerPids(proxy)).toHaveLength(availableParallelism());
});

test('env sets variables of the workers', async () => {
  const port = await freePort();
  proxy = await startProxy({
    conf: oneServer(port, 'return 200 "$pid";', 'env AUDIT_SET=a=b; env AUDIT_KEPT;'),
    env: { AUDIT_KEPT: 'kept' },
  });
  const { body: pid } = await get(port);
  const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  expect(environment).toEqual(expect.arrayContaining(['AUDIT_SET=a=b', 'AUDIT_KEPT=kept']));
});

describe('listening addresses', () => {
  test('a unix socket: open to everybody, removed at exit', async () => {
    proxy = await startProxy({ conf: (prefix) => oneServer(`unix:${prefix}/a.sock`) });
    const path = join(proxy.prefix, 'a.sock');
    expect(statSync(path).mode & 0o777).toBe(0o666);
    expect(await get({ path })).toEqual({ status: 200, body: 'one' });
    proxy.signal('SIGTERM');
    await proxy.exited;
    expect(existsSync(path)).toBe(false);
  });

  test('a unix socket that a dead process left does not stop a start', async () => {
    const conf = (prefix: string): string => oneServer(`unix:${prefix}/a.sock`);
    proxy = await startProxy({ conf });
    const [worker = 0] = workerPids(proxy);
    process.kill(proxy.pid, 'SIGKILL');
    await proxy.exited;
    process.kill(worker, 'SIGKILL');
    expect(await untilGone(`/proc/${worker}`)).toBe(true);
    const { prefix } = proxy;
    expect(existsSync(join(prefix, 'a.sock'))).toBe(true);
    const again = ['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log', '-g', 'daemon on;'];
    expect((await runProgram(again)).code).toBe(0);
    expect(await get({ path: join(prefix, 'a.sock') })).toMatchObject({ status: 200 });
    await runProgram([...again, '-s', 'stop']);
    expect(await untilGone(join(prefix, 'nginx.pid'))).toBe(true);
  });

  test('a unix socket on which somebody listens is in use', async () => {
    proxy = await startProxy({ conf: (prefix) => oneServer(`unix:${prefix}/a.sock`) });
    const other = prefixOf({ 'nginx.conf': `pid other.pid;\n${oneServer(`unix:${proxy.prefix}/a.sock`)}` });
    const run = await runProgram(['-p', other, '-c', 'nginx.conf', '-e', 'error.log', '-g', 'daemon off;']);
    expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('failed (98: Address already in use)') });
    expect(await get({ path: join(proxy.prefix, 'a.sock') })).toMatchObject({ status: 200 });
  });

  test('a file that is no socket is never removed, at its place or by -t', async () => {
    const prefix = prefixOf({ 'nginx.conf': '', precious: 'data' });
    writeFileSync(join(prefix, 'nginx.conf'), `pid nginx.pid;\n${oneServer(`unix:${prefix}/precious`)}`);
    const args = ['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log', '-g', 'daemon off;'];
    expect(await runProgram(args)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('failed (98: Address already in use)'),
    });
    expect((await runProgram([...args, '-t'])).code).toBe(0);
    expect(readFileSync(join(prefix, 'precious'), 'latin1')).toBe('data');
  });

  test("-t leaves a running program's unix socket where it is", async () => {
    proxy = await startProxy({ conf: (prefix) => oneServer(`unix:${prefix}/a.sock`) });
    const args = ['-p', proxy.prefix, '-c', 'nginx.conf', '-e', 'error.log', '-t'];
    expect((await runProgram(args)).code).toBe(0);
    expect(await get({ path: join(proxy.prefix, 'a.sock') })).toMatchObject({ status: 200 });
  });

  test('[::] leaves the same IPv4 port alone by default and with ipv6only=on, with off it takes it', async () => {
    const [byDefault, on, off] = [await freePort(), await freePort(), await freePort()];
    const listens = [`[::]:${byDefault}`, byDefault, `[::]:${on} ipv6only=on`, on, `[::]:${off} ipv6only=off`];
    proxy = await startProxy({ conf: oneServer(listens.join('; listen ')) });
    for (const port of [byDefault, on, off]) {
      expect(await get({ host: '::1', port })).toMatchObject({ status: 200 });
      expect(await get({ host: '127.0.0.1', port })).toMatchObject({ status: 200 });
    }
  });

  test('backlog: how many connections wait when nobody accepts', async () => {
    const [short, long] = [await freePort(), await freePort()];
    proxy = await startProxy({ conf: oneServer(`127.0.0.1:${short} backlog=3; listen 127.0.0.1:${long}`) });
    proxy.signal('SIGWINCH'); // no workers, open sockets
    await until(async () => (workerPids(proxy as RunningProxy).length === 0 ? true : undefined));
    const waiting = async (port: number): Promise<number> => {
      const clients = Array.from({ length: 12 }, () => createConnection({ port, host: '127.0.0.1' }));
      await sleep(300); // a connection beyond the queue stays unanswered for a second or more
      const count = clients.filter((client) => !client.connecting).length;
      for (const client of clients) client.destroy();
      return count;
    };
    expect(await waiting(short)).toBe(4); // Linux takes one more
    expect(await waiting(long)).toBe(12);
  });

  test('reuseport: a socket for each worker', async () => {
    const port = await freePort();
    proxy = await startProxy({
      conf: oneServer(`127.0.0.1:${port} reuseport backlog=64`, 'return 200 "$pid";', 'worker_processes 2;'),
    });
    const pids = new Set<string>();
    for (let i = 0; i < 200 && pids.size < 2; i++) pids.add((await get(port)).body);
    expect([...pids].map(Number).sort()).toEqual(workerPids(proxy).sort());
  });
});

describe('who runs it', () => {
  test.runIf(isRoot)('workers become the user; logs that root made stay theirs to open', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port, 'return 200 "$pid";', 'user nobody nogroup;') });
    const { body: pid } = await get(port);
    expect(readFileSync(`/proc/${pid}/status`, 'latin1')).toMatch(new RegExp(`^Uid:\\s+${NOBODY}\\s+${NOBODY}`, 'm'));
    expect(statSync(join(proxy.prefix, 'error.log')).uid).toBe(NOBODY);
    proxy.signal('SIGUSR1');
    expect(await get(port)).toMatchObject({ status: 200 });
  });

  test.runIf(isRoot)('directories for temporary files are made for the user', async () => {
    const port = await freePort();
    const body = 'proxy_temp_path temp; return 200 ok;';
    proxy = await startProxy({ conf: oneServer(port, body, 'user nobody nogroup;') });
    for (const name of ['temp', 'client_body_temp', 'proxy_temp']) {
      const stat = statSync(join(proxy.prefix, name));
      expect([name, stat.uid, stat.mode & 0o777]).toEqual([name, NOBODY, 0o700]);
    }
  });

  test('worker_rlimit_nofile raises the limit of the workers, or says that it may not', async () => {
    const port = await freePort();
    const program: Program = {
      name: 'evenkeel',
      command: ['/bin/sh', '-c', 'ulimit -n 256; exec "$@"', 'sh', ...EVENKEEL.command],
    };
    proxy = await startProxy({ conf: oneServer(port, 'return 200 "$pid";', 'worker_rlimit_nofile 2000;'), program });
    const { body: pid } = await get(port);
    const limits = readFileSync(`/proc/${pid}/limits`, 'latin1');
    // Needs CAP_SYS_RESOURCE, which root has not everywhere.
    if (mayRaiseLimits) expect(limits).toMatch(/^Max open files\s+2000\s+2000/m);
    else expect(proxy.errorLog()).toContain('[alert] ');
    expect(proxy.errorLog().includes('setrlimit(RLIMIT_NOFILE, 2000) failed (1: Operation not permitted)')).toBe(
      !mayRaiseLimits,
    );
  });

  test.runIf(isRoot)('not root: user is ignored with a warning, from any folder', async () => {
    const port = await freePort();
    const prefix = prefixOf({ 'nginx.conf': `pid nginx.pid;\n${oneServer(port, 'return 200 ok;', 'user nobody;')}` });
    chmodSync(prefix, 0o777);
    const args = ['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log'];
    const run = await runProgram(args, { uid: NOBODY, cwd: '/' });
    expect(run.code).toBe(0);
    expect(run.stderr).toBe(
      `nginx: [warn] the "user" directive makes sense only if the master process runs with super-user privileges, ignored in ${prefix}/nginx.conf:3\n`,
    );
    expect(await get(port)).toMatchObject({ status: 200 });
    const pid = Number(readFileSync(join(prefix, 'nginx.pid'), 'latin1'));
    await runProgram([...args, '-s', 'stop'], { uid: NOBODY });
    expect(await untilGone(join(prefix, 'nginx.pid'))).toBe(true);
    expect(await untilGone(`/proc/${pid}`)).toBe(true);
    expect(isAlive(pid)).toBe(false);
  });
});
