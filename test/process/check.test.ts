import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { CheckDocument } from '../../src/cli/check-document.ts';
import { makeCertificate } from '../support/certificates.ts';
import { poll } from '../support/deadline.ts';
import { freePort } from '../support/free-port.ts';
import { HANG, reply, type Script, ScriptedBackend } from '../support/scripted-backend.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { get, until } from './ask.ts';
import { type ProgramRun, runProgram } from './run-program.ts';
import { endStarted, shown, startProgram } from './started-program.ts';

const folder = tempFolder('check');
const backends: ScriptedBackend[] = [];

afterEach(async () => {
  await endStarted();
  for (const backend of backends.splice(0)) await backend.stop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function backendOf(script: Script): Promise<string> {
  const backend = await ScriptedBackend.start({ script });
  backends.push(backend);
  return `127.0.0.1:${backend.port}`;
}

function check(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<ProgramRun> {
  return runProgram(['check', ...args], { env });
}

describe('check', () => {
  test('one backend that is well: a line, exit 0, no colour into a pipe', async () => {
    const at = await backendOf(reply('ok'));
    const run = await check(['--backend', at]);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(shown(run)).toMatch(
      /^✓ Backend is healthy {2}127\.0\.0\.1:\d+ {2}status 200, \S+ m?s\nall 1 checks passed\n$/,
    );
  });

  test('one of two is not: exit 1, and why; --json says the same', async () => {
    const [well, sick] = [await backendOf(reply('ok')), await backendOf(reply('no', '500 Oops'))];
    const run = await check(['--backend', well, '--backend', sick]);
    expect(run.code).toBe(1);
    expect(shown(run)).toContain(`✗ Backend is not healthy  ${sick}  status 500, 200-399 expected\n`);
    const json = await check(['--backend', well, '--backend', sick, '--json']);
    expect(json).toMatchObject({ code: 1, stderr: '' });
    const document: CheckDocument = JSON.parse(shown(json));
    expect(document).toMatchObject({ schema: 1, healthy: false });
    expect(document.checks.map(({ target, healthy }) => [target, healthy])).toEqual([
      [well, true],
      [sick, false],
    ]);
  });

  test('one that hangs does not hold up the others, nor the end', async () => {
    const [well, hung] = [await backendOf(reply('ok')), await backendOf([HANG])];
    const run = await check(['--backend', well, '--backend', hung, '--timeout', '300ms']);
    expect(run.code).toBe(1);
    expect(shown(run)).toContain('timed out after 300 ms, waiting for the answer');
    expect(shown(run)).toContain(`✓ Backend is healthy      ${well}`);
  });

  test.each([
    [[], 'Say what to look at'],
    [['--timeout', 'soon', '--backend', 'a'], '--timeout soon: a time from 1ms'],
    [['--watch', '0', '--backend', 'a'], '--watch 0: a time from 1ms'],
    [['--redis-password', 'pa55'], 'Unknown argument'],
    [['--redis', 'redis://:pa55@h'], '--redis: write HOST:PORT'],
    [['--conf', '/no/such.conf'], '--conf /no/such.conf: open() "/no/such.conf" failed'],
    [['--backend'], 'Not enough arguments following: backend'],
    [['--ca', '/no/such.pem', '--backend', 'a'], '--ca /no/such.pem: No such file or directory'],
  ])('%j: exit 2, and what is wrong', async (args, text) => {
    const run = await check(args);
    expect(run).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(text) });
    expect(run.stderr).not.toContain('pa55');
    expect(run.stderr).toContain('Try: evenkeel check --help\n');
  });

  test('an env file that is not there: Node itself looks for it, wherever the flag stands, and says so', async () => {
    const run = await check(['--env-file', '/no/such', '--backend', 'a']);
    expect(run.code).toBeGreaterThan(1);
    expect(run.stderr).toMatch(/\/no\/such: (?:not found|No such file or directory)/);
  });

  test('--help teaches by examples', async () => {
    const run = await check(['--help']);
    expect(run.code).toBe(0);
    for (const text of ['--env-file', 'POSTGRES_PASSWORD', '--sentinel', 'Examples:', 'Exit: 0'])
      expect(run.stdout).toContain(text);
  });

  test('the ports and backends of a configuration', async () => {
    const [at, port] = [await backendOf(reply('ok')), await freePort()];
    const path = join(folder, 'nginx.conf');
    writeFileSync(
      path,
      `events {}\nhttp { upstream u { server ${at}; server 127.0.0.1:1 down; }\nserver { listen 127.0.0.1:${port}; location / { proxy_pass http://u; } } }\n`,
    );
    const run = await check(['--conf', path]);
    expect(run.code).toBe(1);
    const lines = shown(run).split('\n');
    expect(lines[0]).toMatch(/^✗ Nginx load balancer is not healthy {2}127\.0\.0\.1:\d+ +connection refused$/);
    expect(lines[1]).toMatch(/^✓ Backend is healthy +127\.0\.0\.1:\d+ +status 200/);
    const program = startProgram(['-p', folder, '-c', path, '-e', 'stderr', '-g', `daemon off; pid ${folder}/pid;`]);
    await until(async () => ((await get(port).catch(() => null))?.status === 200 ? true : undefined));
    const after = await check(['--conf', path]);
    expect(after.code).toBe(0);
    expect(shown(after)).toContain('✓ Nginx load balancer is healthy');
    await program.end('SIGQUIT');
  });

  test('TLS: an authority from a file, or no matter whose', async () => {
    const { key, cert } = makeCertificate('localhost', { names: ['localhost'], days: 60 });
    writeFileSync(join(folder, 'ca.pem'), cert);
    const backend = await ScriptedBackend.start({ script: reply('healthy\n'), tls: { key, cert } });
    backends.push(backend);
    const args = ['--balancer', `https://localhost:${backend.port}/health`, '--body', 'healthy'];
    expect(shown(await check(args))).toContain('the certificate is self-signed');
    const trusted = await check([...args, '--ca', join(folder, 'ca.pem')]);
    expect(trusted.code).toBe(0);
    expect(shown(trusted)).toMatch(
      /^✓ Nginx load balancer is healthy {2}\S+ {2}status 200, TLSv1\.3, certificate for 59 days/,
    );
    expect(await check([...args, '--insecure'])).toMatchObject({ code: 0 });
    expect(await check([...args, '--insecure', '--cert-days', '90'])).toMatchObject({ code: 1 });
  });

  test('--watch looks again until it is ended; the last round decides', async () => {
    const at = await backendOf(reply('ok'));
    const program = startProgram(['check', '--backend', at, '--watch', '50ms', '--json']);
    const rounds = (): CheckDocument[] =>
      program
        .output()
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    await poll(() => (rounds().length >= 2 ? true : undefined), 20_000);
    for (const backend of backends.splice(0)) await backend.stop();
    await poll(() => (rounds().at(-1)?.healthy === false ? true : undefined), 20_000);
    expect(await program.end('SIGINT')).toBe(1);
    expect(rounds()[0]?.healthy).toBe(true);
  });
});
