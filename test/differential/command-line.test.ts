import { describe, expect, it } from 'vitest';
import { EVENKEEL, NGINX } from '../support/program.ts';
import { expectSame, IS_ORACLE_ONLY, oracleOrSkip } from './compare.ts';
import { type Command, type CommandResult, runCommand } from './run-command.ts';

const GOOD =
  'pid nginx.pid;\nevents {}\nhttp {\n  # a comment, kept\n  include conf.d/*.conf;\n  include conf.d/a.conf;\n}\n';
const FILES = {
  'nginx.conf': GOOD,
  'conf.d/a.conf': '# empty\n',
  'conf.d/b.conf': 'server {\n\tlisten 127.0.0.1:8079;\n}\n',
};
const BAD = { 'nginx.conf': 'pid nginx.pid;\nevents {}\nhttp { nonsense; }\n' };
const C = ['-c', 'nginx.conf', '-e', 'error.log'];

function unixSocket(path: string): Readonly<Record<string, string>> {
  return {
    'nginx.conf': `pid nginx.pid;\nevents {}\nhttp { server { listen unix:%%DIR%%/${path}; } }\n`,
  };
}

/** Exit code, standard output and standard error are compared, versions made equal. */
const COMMANDS: Readonly<Record<string, Command>> = {
  '-t': { args: [...C, '-t'], files: FILES },
  '-t with a finding': { args: [...C, '-t'], files: BAD },
  '-t -q': { args: [...C, '-t', '-q'], files: FILES },
  '-q -t with a finding': { args: [...C, '-q', '-t'], files: BAD },
  '-T': { args: [...C, '-T'], files: FILES },
  '-T with a finding': { args: [...C, '-T'], files: BAD },
  '-T -q': { args: [...C, '-T', '-q'], files: FILES },
  '-tq in one word': { args: [...C, '-tq'], files: FILES },
  '-g': { args: [...C, '-t', '-g', 'worker_processes 3;'], files: FILES },
  '-g with a finding': { args: [...C, '-t', '-g', 'nonsense on;'], files: FILES },
  '-g with a duplicate': { args: [...C, '-t', '-g', 'pid other.pid;'], files: FILES },
  '-g without its end': { args: [...C, '-t', '-g', 'worker_processes 3'], files: FILES },
  '-c that is missing': { args: ['-c', 'none.conf', '-e', 'error.log', '-t'] },
  '-c with an absolute path': { args: ['-c', '%%DIR%%/nginx.conf', '-e', 'error.log', '-t'], files: FILES },
  '-c without a value': { args: ['-e', 'error.log', '-c'] },
  '-p without a value': { args: ['-p'], isBare: true },
  '-e that cannot be opened': { args: ['-c', 'nginx.conf', '-e', 'no/such/error.log', '-t'], files: FILES },
  '-e stderr': { args: ['-c', 'nginx.conf', '-e', 'stderr', '-t'], files: FILES },
  'values joined to their flags': { args: ['-cnginx.conf', '-eerror.log', '-t'], files: FILES },
  'a relative include is looked for beside the configuration': {
    args: ['-c', 'sub/nginx.conf', '-e', 'error.log', '-t'],
    files: { 'sub/nginx.conf': 'events {}\ninclude more.conf;\n', 'sub/more.conf': 'worker_processes 2;\n' },
  },
  'unknown flag': { args: ['-x'], isBare: true },
  '-v': { args: ['-v'], isBare: true },
  '-s without a running one': { args: [...C, '-s', 'stop'], files: FILES },
  '-s reload without a running one': { args: [...C, '-s', 'reload'], files: FILES },
  '-s unknown': { args: [...C, '-s', 'explode'], files: FILES },
  '-s with a finding in the configuration': { args: [...C, '-s', 'stop'], files: BAD },
  '-s with nonsense in the pid file': { args: [...C, '-s', 'stop'], files: { ...FILES, 'nginx.pid': 'nonsense\n' } },
  '-s with a pid that is gone': { args: [...C, '-s', 'quit'], files: { ...FILES, 'nginx.pid': '4194000\n' } },
  'a start with a finding': { args: C, files: BAD },
  'a unix socket in a folder that is missing': { args: [...C, '-g', 'daemon off;'], files: unixSocket('no/such.sock') },
  '-t with a unix socket in a folder that is missing': { args: [...C, '-t'], files: unixSocket('no/such.sock') },
  'a unix socket where a file is': {
    args: [...C, '-g', 'daemon off;'],
    files: { ...unixSocket('file'), file: 'data' },
  },
  '-t with a unix socket where a file is': { args: [...C, '-t'], files: { ...unixSocket('file'), file: 'data' } },
  '-t and -s': { args: [...C, '-t', '-s', 'stop'], files: FILES },
  '-t and -v': { args: [...C, '-v', '-t'], files: FILES },
  '-s with the log on stderr': { args: ['-c', 'nginx.conf', '-e', 'stderr', '-s', 'stop'], files: FILES },
  '-s with a log that cannot be opened': { args: ['-c', 'nginx.conf', '-e', 'no/such', '-s', 'stop'], files: FILES },
  '-s tells the error log too': { args: [...C, '-s', 'stop'], files: FILES, shows: 'error.log' },
  'a finding is told the error log too': { args: [...C, '-t'], files: BAD, shows: 'error.log' },
  'a start that cannot bind': {
    args: [...C, '-g', 'daemon off;'],
    files: { 'nginx.conf': 'pid nginx.pid;\nevents {}\nhttp { server { listen 203.0.113.1:8079; } }\n' },
  },
};

describe.skipIf(oracleOrSkip('the command line') === undefined)('the command line', () => {
  for (const [title, command] of Object.entries(COMMANDS)) {
    it(title, async () => {
      const oracle = NGINX ?? EVENKEEL;
      const nginx = await runCommand(oracle, command);
      if (process.env['EVENKEEL_SHOW'] === '1') console.log(`${title}\n${show(nginx)}`);
      const evenkeel = await runCommand(IS_ORACLE_ONLY ? oracle : EVENKEEL, command);
      expectSame(show(nginx), show(evenkeel));
    });
  }

  it('a word that is no flag (own commands)', async () => {
    const said = await runCommand(IS_ORACLE_ONLY ? (NGINX ?? EVENKEEL) : EVENKEEL, {
      args: ['nonsense'],
      isBare: true,
    });
    expect(said.code).toBe(1);
    expect(said.stderr).toMatch(/nonsense/);
  });

  it('-V names the version followed, the TLS library and the arguments', async () => {
    const oracle = NGINX ?? EVENKEEL;
    for (const program of [oracle, IS_ORACLE_ONLY ? oracle : EVENKEEL]) {
      const said = await runCommand(program, { args: ['-V'], isBare: true });
      expect(said.code).toBe(0);
      expect(said.stdout).toBe('');
      expect(said.stderr).toMatch(
        /^nginx version: nginx\/N\n(.*\n)*built with OpenSSL \d+\.\d+\.\d+.*\nTLS SNI support enabled\nconfigure arguments: .+\n$/,
      );
    }
  });

  it('-h and -? list the flags', async () => {
    const oracle = NGINX ?? EVENKEEL;
    const flags = (text: string) => [...text.matchAll(/^ {2}(-\S+) /gm)].map((match) => match[1]);
    for (const flag of ['-h', '-?']) {
      const nginx = await runCommand(oracle, { args: [flag], isBare: true });
      const evenkeel = await runCommand(IS_ORACLE_ONLY ? oracle : EVENKEEL, { args: [flag], isBare: true });
      expect(evenkeel.code).toBe(nginx.code);
      expect(flags(evenkeel.stdout + evenkeel.stderr)).toEqual(
        expect.arrayContaining(flags(nginx.stdout + nginx.stderr)),
      );
    }
  });
});

function show(result: CommandResult): string {
  return `exit ${result.code}\nstdout:\n${result.stdout}\nstderr:\n${result.stderr}\nfile:\n${result.file}`;
}
