import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { get, until, untilLogged } from './ask.ts';
import { oneServer } from './conf.ts';
import { prefixWith, runProgram } from './run-program.ts';

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

describe('-v, -V, -h', () => {
  test('-v and -V speak on stderr and exit 0; -V tells what is there and what is not', async () => {
    const [short, long] = [await runProgram(['-v']), await runProgram(['-V'])];
    expect(short).toEqual({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/^nginx version: nginx\/1\.\d+\.\d+\n$/),
    });
    expect(long.code).toBe(0);
    const lines = long.stderr.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^nginx version: nginx\/1\.\d+\.\d+$/);
    expect(lines[1]).toContain('evenkeel');
    expect(lines).toContain('TLS SNI support enabled');
    expect(long.stderr).toMatch(/^built with OpenSSL \d+\.\d+\.\d+/m);
    const switches = (lines.find((line) => line.startsWith('configure arguments: ')) ?? '').split(' ').slice(2);
    expect(switches).toContain('--with-http_stub_status_module');
    for (const word of switches) expect(word).toMatch(/^--with(out)?-[a-z\d_]+(-cache)?$/);
  });

  test('-h and -? explain the flags', async () => {
    for (const flag of ['-h', '-?']) {
      const run = await runProgram([flag]);
      expect(run).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('-s signal') });
    }
  });

  test('a wrong flag: nginx says so and exits 1', async () => {
    expect(await runProgram(['-x'])).toEqual({ code: 1, stdout: '', stderr: 'nginx: invalid option: "x"\n' });
    expect(await runProgram(['-c'])).toMatchObject({ code: 1, stderr: 'nginx: option "-c" requires file name\n' });
  });

  test.skipIf(process.env['EVENKEEL_PROGRAM'] !== undefined)('a link named nginx is nginx', async () => {
    const prefix = prefixOf({});
    symlinkSync(join(import.meta.dirname, '../../src/cli/main.ts'), join(prefix, 'nginx'));
    const { spawnSync } = await import('node:child_process');
    const run = spawnSync(process.execPath, [join(prefix, 'nginx'), 'bogus'], { encoding: 'latin1', cwd: prefix });
    expect(run).toMatchObject({ status: 1, stderr: 'nginx: invalid option: "bogus"\n' });
  });
});

describe('-t and -T', () => {
  const GOOD = 'pid nginx.pid;\nevents {}\nhttp { include sub/*.conf; }\n';
  const SUB = 'server { listen 127.0.0.1:1; }';

  test('two lines on stderr, exit 0; -q says nothing; the error log exists; nothing is started', async () => {
    const prefix = prefixOf({ 'nginx.conf': GOOD, 'sub/a.conf': SUB });
    const args = ['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log'];
    expect(await runProgram([...args, '-t'])).toEqual({
      code: 0,
      stdout: '',
      stderr:
        `nginx: the configuration file ${prefix}/nginx.conf syntax is ok\n` +
        `nginx: configuration file ${prefix}/nginx.conf test is successful\n`,
    });
    expect(await runProgram([...args, '-tq'])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(existsSync(join(prefix, 'error.log'))).toBe(true);
    expect(existsSync(join(prefix, 'nginx.pid'))).toBe(false);
  });

  test("findings in nginx's words, then test failed, exit 1", async () => {
    const prefix = prefixOf({ 'nginx.conf': GOOD, 'sub/a.conf': 'server {\n  lisen 80;\n}\n' });
    expect(await runProgram(['-t', '-p', prefix, '-c', 'nginx.conf', '-e', 'error.log'])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        `nginx: [emerg] unknown directive "lisen" in ${prefix}/sub/a.conf:2\n` +
        `nginx:   included from ${prefix}/nginx.conf:3\n` +
        `nginx: configuration file ${prefix}/nginx.conf test failed\n`,
    });
    expect(readFileSync(join(prefix, 'error.log'), 'latin1')).toContain('[emerg]');
  });

  test('-T dumps each file once, verbatim, behind the lines of -t', async () => {
    const main = `${GOOD}# \xc3\xa9 twice: \n`;
    const prefix = prefixOf({ 'nginx.conf': main, 'sub/a.conf': SUB });
    const run = await runProgram(['-T', '-p', prefix, '-c', 'nginx.conf', '-e', 'error.log']);
    expect(run.code).toBe(0);
    expect(run.stdout).toBe(
      `# configuration file ${prefix}/nginx.conf:\n${main}\n# configuration file ${prefix}/sub/a.conf:\n${SUB}\n`,
    );
    expect(run.stderr).toContain('test is successful');
  });

  test('directives of -g count; a missing file is told', async () => {
    const prefix = prefixOf({ 'nginx.conf': GOOD, 'sub/a.conf': SUB });
    const args = ['-t', '-p', prefix, '-e', 'error.log'];
    const twice = await runProgram([...args, '-c', 'nginx.conf', '-g', 'pid other.pid;']);
    expect(twice.stderr).toContain(`[emerg] "pid" directive is duplicate in ${prefix}/nginx.conf:1\n`);
    const gone = await runProgram([...args, '-c', 'gone.conf']);
    expect(gone).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`[emerg] open() "${prefix}/gone.conf" failed (2: No such file or directory)`),
    });
  });
});

describe('-s', () => {
  test('reload, reopen, quit reach the running primary', async () => {
    const port = await freePort();
    proxy = await startProxy({ conf: oneServer(port) });
    const say = (word: string) =>
      runProgram(['-p', proxy?.prefix ?? '', '-c', 'nginx.conf', '-e', 'error.log', '-s', word]);
    proxy.rewriteConf(oneServer(port, 'return 200 "two";'));
    expect(await say('reload')).toEqual({ code: 0, stdout: '', stderr: '' });
    await until(async () => ((await get(port)).body === 'two' ? true : undefined));
    expect((await say('reopen')).code).toBe(0);
    expect(await untilLogged(proxy, /reopening logs/)).toBe(true);
    expect((await say('quit')).code).toBe(0);
    expect((await proxy.exited).code).toBe(0);
  });

  test('without a running one: what is missing, exit 1', async () => {
    const prefix = prefixOf({ 'nginx.conf': 'pid nginx.pid;\nevents {}\n' });
    const args = ['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log', '-s', 'stop'];
    expect(await runProgram(args)).toMatchObject({
      code: 1,
      stderr: `nginx: [error] open() "${prefix}/nginx.pid" failed (2: No such file or directory)\n`,
    });
  });
});
