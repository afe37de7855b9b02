import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { EVENKEEL } from '../support/program.ts';
import { reply, ScriptedBackend } from '../support/scripted-backend.ts';
import { get, isAlive, until } from './ask.ts';
import { prefixWith, runProgram } from './run-program.ts';

const children: ChildProcess[] = [];
const backends: ScriptedBackend[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGTERM');
    await new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve(null)));
  }
  for (const backend of backends.splice(0)) await backend.stop();
});

function start(...args: string[]): { readonly child: ChildProcess; readonly output: () => string } {
  const [executable, ...before] = EVENKEEL.command;
  const child = spawn(executable, [...before, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return { child, output: () => output };
}

/** Pids of the processes that a process started. */
function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean);
  return children.map(Number).flatMap((child) => [child, ...descendants(child)]);
}

const up = (port: number, path = '/') =>
  until(async () => {
    const answer = await get(port, path).catch(() => null);
    return answer !== null && answer.status !== 0 ? answer : undefined;
  });

describe('serve', () => {
  test('balances over its backends and shows their state', async () => {
    for (const name of ['a', 'b']) backends.push(await ScriptedBackend.start({ script: reply(name) }));
    const [port, status] = [await freePort(), await freePort()];
    const flags = backends.flatMap((backend) => ['--backend', `127.0.0.1:${backend.port}`]);
    start('serve', '--listen', `127.0.0.1:${port}`, ...flags, '--workers', '2', '--status', `127.0.0.1:${status}`);
    const bodies = [(await up(port)).body];
    for (let i = 0; i < 7; i++) bodies.push((await get(port)).body);
    expect([...new Set(bodies)].sort()).toEqual(['a', 'b']);
    // The second worker may still be on its way.
    const document = await until(async () => {
      const seen = JSON.parse((await get(status, '/lb_status')).body);
      return seen.workers.length === 2 ? seen : undefined;
    });
    const { peers } = document.upstreams.backend;
    expect(peers.map((peer: { requests: number }) => peer.requests).reduce((a: number, b: number) => a + b)).toBe(8);
    expect(peers.map((peer: { state: string }) => peer.state)).toEqual(['up', 'up']);
    expect((await get(status, '/stub_status')).body).toMatch(/^Active connections: \d+ \n/);
  });

  test('--print-config prints nginx text and ends', async () => {
    const run = await runProgram(['serve', '--backend', '10.0.0.1:80', '--algorithm', 'least_conn', '--print-config']);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toContain('least_conn;');
    expect(run.stdout).toContain('server 10.0.0.1:80 max_fails=3 fail_timeout=30s;');
  });

  test.each([
    [['--algorithm', 'fastest'], 'Choices: "round_robin", "least_conn"'],
    [['--fail-timeout', 'soon'], '--fail-timeout soon: not a time; write 500ms'],
    [['--max-fails', '-1'], '--max-fails must be a whole number, 0 or more'],
    [['--workers', 'many'], '--workers many: must be a number from 1, or auto'],
    [['--next-upstream', 'error,never'], '--next-upstream never: unknown condition; allowed are error, timeout'],
    [['--listen', 'bad:port'], '--listen: invalid port in "bad:port" of the "listen" directive; allowed are PORT, '],
    [['--listen'], 'Not enough arguments following: listen'],
    [['--listen', '8080', '--listen', '0.0.0.0:8080'], '--listen: a duplicate listen 0.0.0.0:8080; allowed are'],
    [['--backend', 'b:99999'], '--backend: invalid port in upstream "b:99999"; allowed are HOST:PORT, '],
    [['--backend', 'b:1 wait=1'], '--backend: invalid parameter "wait=1"; allowed are HOST:PORT, '],
    [['--status', 'here'], '--status: host not found in "here" of the "listen" directive; allowed are PORT, '],
    [['--status', '*:8080'], '--status *:8080: --listen has this address already'],
    [['--tries', 'x'], '--tries must be a whole number, 0 or more'],
    [['--tries'], 'Not enough arguments following: tries'],
    [['--tries-timeout', '1y2'], '--tries-timeout 1y2: not a time; write 500ms'],
    [['--connect-timeout', '-1s'], '--connect-timeout -1s: not a time; write 500ms'],
    [['--read-timeout', ''], '--read-timeout must not be empty'],
    [['--keepalive', '1.5'], '--keepalive must be a whole number, 0 or more'],
    [['--access-log', ''], '--access-log must not be empty'],
    [['--hash-key', ''], '--hash-key must not be empty'],
    [['--algorithm', 'hash', '--algorithm', 'random'], '--algorithm may be given once only'],
    [['--max-fails', '1', '--max-fails', '2'], '--max-fails may be given once only'],
    [['--bogus'], 'Unknown argument: bogus'],
    [['stray'], 'Unknown argument: stray'],
  ])('%j: what is wrong, what is allowed, exit 1', async (flags, text) => {
    const run = await runProgram(['serve', '--backend', 'a:1', ...flags]);
    expect(run).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(text) });
  });

  test.each([
    ['--access-log', '/no/such/access.log'],
    ['--error-log', '/no/such/error.log'],
  ])('%s that cannot be opened: nginx says so, exit 1', async (flag, path) => {
    const run = await runProgram(['serve', '--listen', '127.0.0.1:1', '--backend', '127.0.0.1:2', flag, path]);
    expect(run).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/\[emerg\] .*open\(\) "\/no\/such\/\w+\.log" failed \(2: No such file/),
    });
  });

  test('all flags: what --print-config prints passes -t, and says what they say', async () => {
    const prefix = prefixWith({});
    const flags = [
      ...['--listen', '127.0.0.1:1', '--listen', '[::1]:1', '--listen', `unix:${prefix}/a.sock`],
      ...['--backend', '127.0.0.1:2', '--backend', '[::1]:2 weight=3', '--backend', `unix:${prefix}/b.sock`],
      ...['--algorithm', 'hash', '--hash-key', '$remote_addr$uri', '--max-fails', '0', '--fail-timeout', '1m30s'],
      ...['--next-upstream', 'error,http_429,non_idempotent', '--tries', '0', '--tries-timeout', '500ms'],
      ...['--connect-timeout', '2', '--read-timeout', '1h', '--keepalive', '0', '--workers', '3'],
      ...['--status', '127.0.0.1:3', '--access-log', `${prefix}/a b.log`, '--error-log', `${prefix}/e.log`],
    ];
    const printed = await runProgram(['serve', ...flags, '--print-config']);
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    for (const line of ['hash $remote_addr$uri consistent;', 'worker_processes 3;', 'keepalive 0;']) {
      expect(printed.stdout).toContain(line);
    }
    // Where the pid goes is another user's matter.
    writeFileSync(join(prefix, 'nginx.conf'), printed.stdout.replace(/^pid .*;$/m, 'pid nginx.pid;'), 'latin1');
    const tested = await runProgram(['-t', '-p', prefix, '-c', 'nginx.conf', '-e', 'error.log']);
    expect(tested).toMatchObject({ code: 0, stderr: expect.stringContaining('test is successful') });
    rmSync(prefix, { recursive: true });
  });

  test('no backend: says so', async () => {
    expect(await runProgram(['serve'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--backend HOST:PORT'),
    });
  });
});

test('a command that is none: which there are', async () => {
  expect(await runProgram(['bogus'])).toEqual({
    code: 1,
    stdout: '',
    stderr: 'evenkeel: unknown command "bogus"; allowed are serve, demo, check, probe\nTry: evenkeel --help\n',
  });
});

describe('demo', () => {
  test.each([
    [['--port', 'abc'], '--port must be a port: a number from 1 to 65535'],
    [['--status-port', '65536'], '--status-port must be a port: a number from 1 to 65535'],
    [['--port', '8090', '--status-port', '8090'], '--port and --status-port are both 8090; they must differ'],
    [['--bogus'], 'Unknown argument: bogus'],
  ])('%j: what is wrong, exit 1', async (flags, text) => {
    expect(await runProgram(['demo', ...flags])).toEqual({
      code: 1,
      stdout: '',
      stderr: `evenkeel: ${text}\nTry: evenkeel demo --help\n`,
    });
  });

  test('Ctrl-C in a terminal reaches all its processes at once: none stays, exit 0', async () => {
    const [port, status] = [await freePort(), await freePort()];
    const { child, output } = start('demo', '--port', String(port), '--status-port', String(status));
    await poll(() => (output().includes('Ctrl-C') ? true : undefined), 20_000);
    const group = [child.pid ?? 0, ...descendants(child.pid ?? 0)];
    expect(group).toHaveLength(6); // two workers, three backends
    for (const pid of group) process.kill(pid, 'SIGINT');
    const ended = await poll(() => (child.exitCode === null ? undefined : true), 10_000);
    expect([ended, child.exitCode]).toEqual([true, 0]);
    for (const pid of group) expect(await poll(() => (isAlive(pid) ? undefined : true), 5000)).toBe(true);
    expect(output()).not.toMatch(/\[(alert|emerg|crit)\]/);
  });

  test('serves, says what to try, survives the death of a backend, ends on Ctrl-C', async () => {
    const [port, status] = [await freePort(), await freePort()];
    const { child, output } = start('demo', '--port', String(port), '--status-port', String(status));
    const told = await poll(() => (output().includes('Ctrl-C') ? output() : undefined), 20_000);
    const pids = [...(told ?? '').matchAll(/backend-\d .* pid (\d+)/g)].map((match) => Number(match[1]));
    expect(pids).toHaveLength(3);
    expect((await get(port)).body).toMatch(/^backend-1 /);
    process.kill(pids[0] ?? 0, 'SIGKILL');
    for (let i = 0; i < 6; i++)
      expect(await get(port)).toEqual({ status: 200, body: expect.stringMatching(/^backend-[23] /) });
    expect((await get(status, '/lb_status')).body).toContain('"state": "unavail"');
    child.kill('SIGINT');
    const ended = await poll(() => (child.exitCode === null ? undefined : true), 10_000);
    expect([ended, child.exitCode]).toEqual([true, 0]);
    for (const pid of pids) expect(await poll(() => (isAlive(pid) ? undefined : true), 5000)).toBe(true);
  });

  test.each(['--port', '--status-port'])('%s that is taken is named, with the flag that changes it', async (flag) => {
    const [taken, free] = [await freePort(), await freePort()];
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(taken, '0.0.0.0', resolve));
    const other = flag === '--port' ? '--status-port' : '--port';
    const args = ['demo', flag, String(taken), other, String(free)];
    const run = await runProgram(args);
    const byNpm = await runProgram(args, { env: { npm_lifecycle_event: 'start' } });
    squatter.close();
    const words = (way: string): string => `evenkeel: port ${taken} is taken; choose another one with ${way} PORT\n`;
    expect(run).toEqual({ code: 1, stdout: '', stderr: words(flag) });
    expect(byNpm).toEqual({ code: 1, stdout: '', stderr: words(`npm start -- ${flag}`) });
  });
});
