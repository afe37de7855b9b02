// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are nginx's variables
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { EVENTS, HTTP, LOCATION, LOCATION_IF, MAIN, SERVER, SERVER_IF } from '../../src/config/contexts.ts';
import { formatDiagnostic } from '../../src/config/diagnostic.ts';
import { dumpConfig } from '../../src/config/dump.ts';
import { loadConfig } from '../../src/config/load.ts';
import { readConfig } from '../../src/config/read.ts';
import { acceptedModule } from '../../src/modules/accepted.ts';
import { NGINX } from '../support/program.ts';
import { sampleModules } from '../unit/config/sample-modules.ts';
import { removeTempFiles, writeTempFiles } from '../unit/config/temp-files.ts';

/** The first finding of `nginx -t` and ours, for the same file: text, quotes, file and line. */

const MODULES = [...sampleModules.map(withoutStrangers), acceptedModule];

/** `sendfile` is in the sample and in the accepted table; nginx has no `mark`. */
function withoutStrangers(module: (typeof sampleModules)[number]): (typeof sampleModules)[number] {
  return { ...module, rows: module.rows.filter((row) => row.name !== 'mark') };
}

const run = promisify(execFile);
const directory = writeTempFiles({});
afterAll(() => removeTempFiles(directory));
let serial = 0;

interface Findings {
  /** All that nginx says, `nginx: [emerg] ` and the directory's name left out. */
  readonly nginx: string;
  readonly ours: string;
}

async function bothOn(text: string, globalDirectives = ''): Promise<Findings> {
  const file = `${directory}${serial++}.conf`;
  writeFileSync(file, text, 'latin1');
  const tidy = (said: string): string => said.replaceAll(file, 'FILE').replaceAll(directory, '');

  const [command, ...before] = NGINX?.command ?? ['nginx'];
  const args = [...before, '-t', '-q', '-p', directory, '-c', file, '-e', `${directory}error.log`];
  if (globalDirectives !== '') args.push('-g', globalDirectives);
  const said = await run(command, args, { encoding: 'latin1' }).then(
    (done) => done.stderr,
    (failure: { stderr: string }) => failure.stderr,
  );
  const read = readConfig({ file, prefix: directory, globalDirectives }, MODULES);
  const first = read.diagnostics.find((finding) => finding.severity === 'emerg');
  return {
    nginx: tidy(said.replace(/^nginx: \[(emerg|crit)\] /, '')),
    ours: first === undefined ? '' : tidy(formatDiagnostic(first)),
  };
}

async function expectSame(text: string, globalDirectives?: string): Promise<void> {
  const { nginx, ours } = await bothOn(text, globalDirectives);
  if (ours === '') expect(nginx).not.toMatch(/ in (FILE:\d+|command line)\n/);
  else expect(nginx.startsWith(`${ours}\n`), `nginx: ${nginx}\nours:  ${ours}`).toBe(true);
}

if (NGINX === undefined) {
  console.log('findings of the configuration: skipped: nginx not installed');
  it.skipIf(process.env['CI'] !== 'true')('findings of the configuration (skipped: nginx not installed)', () => {
    throw new Error('nginx, the oracle of the differential suite, is not installed');
  });
} else {
  describe('findings have the words and the line of nginx', () => {
    it.each(texts())('%j', (text) => expectSame(text));

    it.each([
      'daemon off',
      'events {}',
      'foo;',
      'daemon maybe;',
      'daemon on; daemon off;',
      'include missing;',
      '"a"b',
      '}',
      `daemon ${'x'.repeat(5000)}`,
    ])('-g %j', (globals) => expectSame('events {}', globals));
  });

  describe('values are refused where nginx refuses them', () => {
    const inHttp = (directive: string): string => `events {}\nhttp {\n${directive};\n}`;
    it('times', async () => {
      const times = [
        '5',
        '500ms',
        '1h30m',
        '30m1h',
        '1m1m',
        '1y1y',
        '5s 5s',
        '5 1h',
        ' 5',
        ' ',
        '',
        's',
        'm',
        '1hm',
        '1s5',
      ];
      const odd = [
        '1s5 ',
        '1h 5',
        '1h 5 ',
        '5 5',
        '5 5 5',
        '1ms5',
        '1s1ms',
        '1ms1s',
        '-5',
        '1.5',
        '1d12h',
        '9223372036854775',
      ];
      for (const time of [
        ...times,
        ...odd,
        '9223372036854776',
        '1Y',
        '106751991167d',
        '106751991168d',
        '5\\t',
        '1h\\n',
      ]) {
        await expectSame(inHttp(`client_body_timeout "${time}"`));
      }
    });
    it('any time', () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom('1', '7', '20', ' ', ...'yMwdhms', 'ms'), { maxLength: 7 }),
          (parts) => expectSame(inHttp(`client_body_timeout "${parts.join('')}"`)),
        ),
        { numRuns: 150 },
      ));
    it('any time in seconds', () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom('1', '7', '20', ' ', ...'yMwdhms', 'ms'), { maxLength: 7 }),
          (parts) => expectSame(inHttp(`open_file_cache_valid "${parts.join('')}"`)),
        ),
        { numRuns: 150 },
      ));
    it('sizes, numbers, lists', async () => {
      for (const size of [
        '0',
        '1k',
        '1K',
        '1m',
        '1g',
        '',
        'k',
        '1kk',
        '-1',
        '9223372036854775807',
        '9223372036854775808',
        '9007199254740992k',
      ]) {
        await expectSame(inHttp(`read_ahead "${size}"`));
        await expectSame(inHttp(`directio "${size}"`));
        await expectSame(inHttp(`server_names_hash_max_size "${size === '0' ? '1' : size}"`));
        await expectSame(inHttp(`output_buffers 2 "${size}"`));
        await expectSame(inHttp(`output_buffers "${size}" 4k`));
      }
    });
  });

  describe('accepted directives', () => {
    it.each([
      'use epoll',
      'use kqueue',
      'multi_accept maybe',
      'accept_mutex_delay x',
      'worker_aio_requests x',
      'use epoll; use epoll',
      'debug_connection 10.0.0.0/8; debug_connection unix:',
    ])('events: %s', (directive) => expectSame(`events {\n${directive};\n}`));

    it.each([
      'worker_priority -5',
      'worker_priority +5',
      'worker_priority --5',
      'worker_cpu_affinity 2',
      'worker_cpu_affinity auto 01',
      'worker_cpu_affinity auto x',
      'thread_pool a threads=0',
      'thread_pool a threads=2 max_queue=x',
      'thread_pool a foo',
      'thread_pool a threads=2; thread_pool b threads=2',
      'timer_resolution x',
      'timer_resolution 100ms; timer_resolution 1s',
      'debug_points x',
      'worker_rlimit_core 1g',
    ])('main: %s', (directive) => expectSame(`${directive};\nevents {}`));

    it.each([
      'request_pool_size 4k',
      'aio maybe',
      'aio off',
      'directio maybe',
      'output_buffers 1',
      'open_file_cache max=10 inactive=20s',
      'open_file_cache max=0',
      'open_file_cache inactive=20s',
      'open_file_cache max=10 inactive=x',
      'open_file_cache foo',
      'open_file_cache off',
      'open_file_cache_valid 5ms',
      'open_file_cache_errors x',
      'postpone_output 1g',
      'sendfile_max_chunk -1',
      'tcp_nodelay off on',
      'sendfile on; sendfile on',
      'types_hash_max_size x',
      'fastcgi_temp_path a 1 2 3 4',
    ])('http: %s', (directive) => expectSame(`events {}\nhttp {\n${directive};\n}`));

    it('stand where nginx lets them stand', async () => {
      const frames: readonly [context: number, before: string, after: string][] = [
        [MAIN, '', ''],
        [EVENTS, 'events {', '}'],
        [HTTP, 'http {', '}'],
        [SERVER, 'http { server {', '} }'],
        [LOCATION, 'http { server { location / {', '} } }'],
        [SERVER_IF, 'http { server { if ($host) {', '} } }'],
        [LOCATION_IF, 'http { server { location / { if ($host) {', '} } } }'],
      ];
      for (const name of new Set(acceptedModule.rows.map((row) => row.name))) {
        const contexts = acceptedModule.rows
          .filter((row) => row.name === name)
          .reduce((mask, row) => mask | row.contexts, 0);
        for (const [context, before, after] of frames) {
          // Six arguments: wrong for all but those that take any number, and checked after the place.
          const { nginx } = await bothOn(`${before}\n${name} a b c d e f;\n${after}`);
          const isRefused = /^(unknown directive|"\w+" directive is not allowed here)/.test(nginx);
          expect(isRefused, `${name} in ${before}: ${nginx}`).toBe((contexts & context) === 0);
        }
      }
    });
  });

  it('-T prints the same files in the same order', async () => {
    const prefix = writeTempFiles({
      'nginx.conf':
        'events {}\nhttp {\ninclude [ab]?/*.conf;\ninclude a1/x.conf;\ninclude ./b1/*.c?nf;\ninclude none/*;\n}',
      'a1/x.conf': '# no newline',
      'a1/.hidden.conf': 'hidden;',
      'a1/X.conf': '',
      'a1/other.txt': 'never;',
      'b1/y.conf': 'server { include a1/X.conf; types { include mime; } }\n\n',
      mime: 'a/b c;\r\n',
    });
    try {
      const [command, ...before] = NGINX?.command ?? ['nginx'];
      const args = [...before, '-T', '-q', '-p', prefix, '-c', 'nginx.conf', '-e', `${prefix}error.log`];
      const said = await run(command, args, { encoding: 'latin1' });
      const { snapshot } = loadConfig({ file: 'nginx.conf', prefix });
      expect(dumpConfig(snapshot)).toBe(said.stdout);
    } finally {
      removeTempFiles(prefix);
    }
  });

  it('any text', () => {
    const token = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...'{};"\'\\$# \t\r\n)(ab'.split('')) },
      { weight: 2, arbitrary: fc.constantFrom('\n', ' ', ';', '\\t', '\\n', '\\"', '${', ' {', '}\n') },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          'daemon ',
          'daemon on;',
          'events {}',
          'http {',
          'server {',
          'include ',
          'on',
          'x y ',
        ),
      },
    );
    const text = fc.array(token, { maxLength: 30 }).map((tokens) => tokens.join(''));
    return fc.assert(
      // An empty include names the directory, which nginx reports without a position.
      fc.asyncProperty(
        text.filter((candidate) => !/include\s+(""|'')/.test(candidate)),
        (candidate) => expectSame(candidate),
      ),
      { numRuns: 500 },
    );
  });
}

/** Each the shortest text that brings out one finding. */
function texts(): string[] {
  const long = 'x'.repeat(5000);
  return [
    'events {}\nfoo',
    'events {}\n}',
    'events {}\n;',
    'events {}\n{',
    'events {',
    'events',
    'events;',
    'events on {}',
    'events {}\nevents {}',
    'events {}\nfoo;',
    'events {}\nfoo {}',
    'events {}\n"foo bar" baz;',
    'events {}\n\\foo;',
    'events {}\n"a\\tb\\\\c\\"d\\e" x;',
    'events {}\n${a{b} x;',
    'events {}\n${a}{ x;',
    'events {}\ndaemon "on"x;',
    "events {}\ndaemon 'on'};",
    'events {}\ndaemon "on"#;',
    'events {}\ndaemon "on")x;',
    'events {}\ndaemon on }',
    'events {}\ndaemon "on;\n',
    'events {}\ndaemon on off;',
    'events {}\ndaemon\n\nmaybe\n;',
    'events {}\ndaemon on;\ndaemon maybe;',
    'daemon on\nevents {}',
    'server {}',
    'events { http {} }',
    'events {}\nhttp { server { events {} } }',
    'events {}\nhttp {\nserver;\n}',
    'events {}\nhttp {\nupstream u {\n\n}\n}',
    'events {}\nhttp {\nupstream u {\n}\nfoo;\n}',
    'events {}\nhttp {\nfoo;\nupstream u {\n}\n}',
    'events {}\nhttp {\nupstream u {\n}\nupstream v {\n}\n}\nfoo;',
    'events {}\nhttp {\nupstream u { server; }\n}',
    'events {}\nhttp {\nserver 127.0.0.1;\n}',
    'events {}\nhttp {\nsatisfy some;\n}',
    'events {}\nhttp {\nproxy_next_upstream error some;\n}',
    'events {}\nhttp {\nproxy_buffers 0 4k;\n}',
    'events {}\nhttp { types { a { } } }',
    'events {}\nhttp { types {\n a b;\n server {\n listen 1;\n }\n}\n}',
    'events {}\nhttp { types { include a b; } }',
    'events {}\nhttp { types { include missing; } }',
    'events {}\ninclude missing.conf;',
    'events {}\ninclude missing/*.conf;',
    'events {}\ninclude a b;',
    'events {}\ninclude a {}',
    `events {}\n# ${long}\n`,
    `events {}\n# ${'x'.repeat(4000)}\nfoo ${'y'.repeat(4000)};`,
    `events {}\ndaemon ${long};`,
    `events {}\ndaemon\n"${long}";`,
    `events {}\ndaemon '${'\n'.repeat(5000)}';`,
    `events {}\ndaemon "${'x'.repeat(4094)}`,
    ...[4093, 4094, 4095, 4096, 4097].map((length) => `${'x'.repeat(length)} `),
    ...[4093, 4094, 4095, 4096, 4097].map((length) => `"${'x'.repeat(length)}"\n\n\n\n\n`),
    ...[4080, 4085, 4090, 4095, 4100].map((length) => `#${'x'.repeat(length)}\nfoo;`),
    '\u00ef\u00bb\u00bfevents {}',
    'events {}\r\nfoo;\r\n',
  ];
}
