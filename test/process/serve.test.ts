import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { EVENKEEL } from '../support/program.ts';
import { reply, ScriptedBackend } from '../support/scripted-backend.ts';
import { get, isAlive, until } from './ask.ts';
import { runProgram } from './run-program.ts';

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
    [['--bogus'], 'Unknown argument: bogus'],
  ])('%j: what is wrong, what is allowed, exit 1', async (flags, text) => {
    const run = await runProgram(['serve', '--backend', 'a:1', ...flags]);
    expect(run).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(text) });
  });

  test('no backend: says so', async () => {
    expect(await runProgram(['serve'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--backend HOST:PORT'),
    });
  });
});

describe('demo', () => {
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

  test('a taken port is named, with the flag that changes it', async () => {
    const taken = await freePort();
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(taken, '0.0.0.0', resolve));
    const run = await runProgram(['demo', '--port', String(taken)]);
    squatter.close();
    expect(run).toEqual({
      code: 1,
      stdout: '',
      stderr: `evenkeel: port ${taken} is taken; choose another one with --port PORT\n`,
    });
  });
});
