import { execFile, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { NODE } from '../support/program.ts';
import { makePrefix } from '../support/start-proxy.ts';
import { get, until, untilGone } from './ask.ts';
import { oneServer } from './conf.ts';

const ROOT = join(import.meta.dirname, '../..');
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
/** A name without a `/` is looked for in the PATH, as `#!/usr/bin/env node` looks for node. */
const env = (folder: string): NodeJS.ProcessEnv => ({
  PATH: [join(folder, 'bin'), dirname(NODE), '/usr/bin', '/bin'].join(delimiter),
});

/** A folder with what a package has: package.json, node_modules, dist; and `bin` with links to the program. */
let folder = '';

beforeAll(async () => {
  folder = makePrefix('package');
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const { build } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts;
  expect(build).toBe('rm -rf dist && tsc -p tsconfig.build.json && chmod 755 dist/cli/main.js');
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  await promisify(execFile)(NODE, [tsc, '-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist')], { cwd: ROOT });
  spawnSync('chmod', ['755', join(folder, 'dist/cli/main.js')]);
  mkdirSync(join(folder, 'bin'));
  for (const name of ['nginx', 'evenkeel']) symlinkSync('../dist/cli/main.js', join(folder, 'bin', name));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it as a shell would, by its name. */
function run(command: readonly string[], uid?: number): Said {
  const [name = '', ...args] = command;
  const user = uid === undefined ? {} : { uid, gid: uid };
  const { status, stdout, stderr } = spawnSync(name, args, { encoding: 'utf8', cwd: '/', env: env(folder), ...user });
  return { status, stdout, stderr };
}

describe('the built program', () => {
  test('is executable and names its interpreter', () => {
    const program = join(folder, 'dist/cli/main.js');
    expect(statSync(program).mode & 0o111).toBe(0o111);
    expect(readFileSync(program, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test('by its own name: commands', () => {
    expect(run(['evenkeel', '--version'])).toEqual({ status: 0, stdout: 'evenkeel 0.1.0\n', stderr: '' });
    expect(run(['evenkeel', 'serve', '--backend', '127.0.0.1:1', '--print-config'])).toMatchObject({ status: 0 });
  });

  test('by a link named nginx, from any folder: -V within 150 ms', () => {
    const times = Array.from({ length: 7 }, () => {
      const began = performance.now();
      expect(run(['nginx', '-V'])).toMatchObject({ status: 0, stdout: '' });
      return performance.now() - began;
    });
    expect(Math.min(...times)).toBeLessThan(150);
  });

  test.each([
    ['its owner', undefined],
    ['another user', NOBODY],
  ])('by a link named nginx, as %s: -t, start in the background, reload, stop', async (_who, uid) => {
    if (uid !== undefined && !isRoot) return; // nobody else to be
    const [port, prefix] = [await freePort(), makePrefix('built')];
    const write = (body: string): void =>
      writeFileSync(join(prefix, 'nginx.conf'), `pid nginx.pid;\n${oneServer(port, `return 200 ${body};`)}`);
    write('one');
    const nginx = ['nginx', '-p', prefix, '-c', 'nginx.conf', '-e', 'error.log'];
    expect(run([...nginx, '-t'], uid)).toMatchObject({ status: 0 });
    expect(run(nginx, uid)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect((await get(port)).body).toBe('one');
    write('two');
    expect(run([...nginx, '-s', 'reload'], uid)).toEqual({ status: 0, stdout: '', stderr: '' });
    await until(async () => ((await get(port)).body === 'two' ? true : undefined));
    const pid = readFileSync(join(prefix, 'nginx.pid'), 'utf8').trim();
    expect(statSync(`/proc/${pid}`).uid).toBe(uid ?? process.getuid?.());
    expect(run([...nginx, '-s', 'quit'], uid)).toMatchObject({ status: 0 });
    expect(await untilGone(`/proc/${pid}`)).toBe(true);
    rmSync(prefix, { recursive: true });
  });

  test('by a shell wrapper that execs: signals and pid are the program’s own', async () => {
    const [port, prefix] = [await freePort(), makePrefix('wrapped')];
    writeFileSync(join(prefix, 'wrapper'), '#!/bin/sh\nexec nginx "$@"\n', { mode: 0o755 });
    writeFileSync(join(prefix, 'nginx.conf'), `pid nginx.pid;\n${oneServer(port)}`);
    const args = ['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log', '-g', 'daemon off;'];
    const child = execFile(join(prefix, 'wrapper'), args, { env: env(folder), cwd: '/' });
    const code = new Promise((resolve) => child.once('exit', resolve));
    const pidFile = join(prefix, 'nginx.pid');
    await until(async () => (statSync(pidFile, { throwIfNoEntry: false })?.size ? true : undefined));
    expect(await get(port)).toMatchObject({ status: 200 });
    expect(readFileSync(pidFile, 'utf8')).toBe(`${child.pid}\n`);
    child.kill('SIGTERM');
    expect(await code).toBe(0);
    rmSync(prefix, { recursive: true });
  });
});
