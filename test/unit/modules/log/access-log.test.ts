import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LOCATION, SERVER } from '../../../../src/config/contexts.ts';
import { ConfigError } from '../../../../src/config/diagnostic.ts';
import type { Exchange } from '../../../../src/http/exchange.ts';
import { Location } from '../../../../src/http/location.ts';
import { VariableRegistry } from '../../../../src/http/variables/variable-registry.ts';
import { compileFileRoot } from '../../../../src/modules/http-core/file-root.ts';
import { httpCoreDefaults } from '../../../../src/modules/http-core/http-core-conf.ts';
import type { LogFiles } from '../../../../src/observe/log-files.ts';
import { sampleExchange } from '../../http/variables/sample-exchange.ts';
import { type CompiledLogs, compileLogs } from './read-log-conf.ts';

function log(logs: CompiledLogs, ex: Exchange, ...contexts: number[]): void {
  for (const handler of logs.handlersOf(...contexts)) handler(ex);
  logs.files.flush();
}

function linesOf(logs: CompiledLogs, name: string): string[] {
  const path = logs.prefix + name;
  if (!existsSync(path)) return [];
  return readFileSync(path, 'latin1').split('\n').slice(0, -1);
}

function answered(line = 'GET /a HTTP/1.1'): Exchange {
  const ex = sampleExchange({ line, fields: [['User-Agent', 'q"\x7f']] });
  ex.response.status = 200;
  ex.bodyBytesSent = 5;
  return ex;
}

test('the combined format', () => {
  const logs = compileLogs('access_log a.log; server { }');
  log(logs, answered(), SERVER);
  expect(linesOf(logs, 'a.log')).toEqual([
    expect.stringMatching(
      /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET \/a HTTP\/1\.1" 200 5 "-" "q\\x22\\x7F"$/,
    ),
  ]);
});

test('values are escaped as the format says, missing ones are shown as nginx shows them', () => {
  const logs = compileLogs(`
    log_format d 'A[$http_user_agent]' '-$http_none-$args-\${status}s';
    log_format j escape=json '{"a":"$http_user_agent","n":"$http_none","s":$status}';
    log_format n escape=none '$http_user_agent|$http_none|';
    access_log d.log d; access_log j.log j; access_log n.log n;
    server { }`);
  log(logs, answered(), SERVER);
  expect(linesOf(logs, 'd.log')).toEqual(['A[q\\x22\\x7F]-----200s']);
  expect(linesOf(logs, 'j.log')).toEqual(['{"a":"q\\"\x7f","n":"","s":200}']);
  expect(linesOf(logs, 'n.log')).toEqual(['q"\x7f||']);
});

test('logs of an inner level replace those of the outer', () => {
  const logs = compileLogs(`
    log_format u $uri; access_log http.log u;
    server { location /a { access_log one.log u; access_log two.log u; } location /b { access_log off; } }
    server { location /c { } }`);
  log(logs, answered(), SERVER, LOCATION);
  expect(linesOf(logs, 'http.log')).toEqual([]);
  expect(linesOf(logs, 'one.log')).toEqual(['/a']);
  expect(linesOf(logs, 'two.log')).toEqual(['/a']);
  log(logs, answered(), SERVER);
  expect(linesOf(logs, 'http.log')).toEqual(['/a']);
});

test('off wins over a log of the same level', () => {
  expect(compileLogs('access_log a.log; access_log off; server { }').handlersOf(SERVER)).toEqual([]);
});

test("without a word it is the log of nginx's packages, opened once", () => {
  const opened: string[] = [];
  const files = { open: (path: string) => opened.push(path) && { write: () => undefined } } as unknown as LogFiles;
  const logs = compileLogs('server { location /a { } } server { access_log off; }', files);
  expect(opened).toEqual(['/var/log/nginx/access.log']);
  expect(logs.handlersOf(SERVER, LOCATION)).toHaveLength(1);
});

test('without a word and without that folder there is none, with a warning', () => {
  const said: string[] = [];
  const files = {
    open: (path: string) => {
      throw new ConfigError(`open() "${path}" failed (2: No such file or directory)`);
    },
  } as unknown as LogFiles;
  const mainLog = {
    isEnabled: () => true,
    writeWaiting: () => undefined,
    write: (level: string, text: string) => said.push(`${level}: ${text}`),
  };
  const logs = compileLogs('server { location /a { } } server { }', files, mainLog);
  expect(logs.handlersOf(SERVER)).toEqual([]);
  expect(said).toEqual([
    'warn: no access log: open() "/var/log/nginx/access.log" failed (2: No such file or directory)',
  ]);
});

test('a file that cannot be opened is a finding at its line', () => {
  try {
    compileLogs('\naccess_log none/a.log; server { }');
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).pos?.line).toBe(3);
  }
});

test('an unknown variable is a finding at the line of its format, used or not', () => {
  try {
    compileLogs('log_format a "$nope";\naccess_log off; server { }');
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ message: 'unknown "nope" variable', pos: { file: 'nginx.conf', line: 2 } });
  }
});

test.each([
  ['$arg_log', ['/yes?log=1', '/many?log=00']],
  ['x', ['/yes?log=1', '/no', '/zero?log=0', '/empty?log=', '/many?log=00']],
  ['0', []],
  ['', []],
])('if=%s', (condition, written) => {
  const logs = compileLogs(`log_format r $request_uri; access_log a.log r if=${condition}; server { }`);
  for (const target of ['/yes?log=1', '/no', '/zero?log=0', '/empty?log=', '/many?log=00']) {
    log(logs, answered(`GET ${target} HTTP/1.1`), SERVER);
  }
  expect(linesOf(logs, 'a.log')).toEqual(written);
});

test('a buffered log keeps its lines until the buffer is full', () => {
  const logs = compileLogs('log_format u $uri; access_log a.log u buffer=1k; server { }');
  log(logs, answered(), SERVER);
  expect(linesOf(logs, 'a.log')).toEqual([]);
  for (let i = 0; i < 400; i++) log(logs, answered(), SERVER);
  expect(linesOf(logs, 'a.log').length).toBeGreaterThan(300);
  logs.files.flushAtExit();
  expect(linesOf(logs, 'a.log').length).toBe(401);
});

test('a name with variables is written at once, and a missing folder goes to the error log', () => {
  const logs = compileLogs('log_format u $uri; access_log $arg_d/x.log u; server { }');
  const ex = answered('GET /p?d=sub HTTP/1.1');
  const written: string[] = [];
  ex.location = new Location('', ex.location.core, {
    isEnabled: () => true,
    writeWaiting: () => undefined,
    write: (...args) => written.push(`${args[0]}: ${args[2]}`),
  });
  for (const handler of logs.handlersOf(SERVER)) handler(ex);
  expect(written).toEqual([
    `crit: open() "${logs.prefix}sub/x.log" failed (2: No such file or directory) while logging request`,
  ]);
  mkdirSync(`${logs.prefix}sub`);
  for (const handler of logs.handlersOf(SERVER)) handler(ex);
  expect(linesOf(logs, 'sub/x.log')).toEqual(['/p']);
});

test('a name with variables wants the root of the request to be there', () => {
  const logs = compileLogs('log_format u $uri; access_log $arg_d.log u; server { }');
  const ex = answered('GET /p?d=x HTTP/1.1');
  const written: string[] = [];
  ex.location = new Location('', ex.location.core, {
    isEnabled: () => true,
    writeWaiting: () => undefined,
    write: (...args) => written.push(`${args[0]}: ${args[2]}`),
  });
  compileFileRoot(
    { ...httpCoreDefaults(), root: 'none' },
    { variables: new VariableRegistry([]), prefix: logs.prefix, location: ex.location },
  );
  for (const handler of logs.handlersOf(SERVER)) handler(ex);
  expect(written).toEqual([
    `error: testing "${logs.prefix}none" existence failed (2: No such file or directory) while logging request`,
  ]);
  mkdirSync(`${logs.prefix}none`);
  for (const handler of logs.handlersOf(SERVER)) handler(ex);
  expect(linesOf(logs, 'x.log')).toEqual(['/p']);
});

test('words of error_log are plain file names here', () => {
  const logs = compileLogs('log_format u $uri; access_log stderr u; server { }');
  log(logs, answered(), SERVER);
  expect(linesOf(logs, 'stderr')).toEqual(['/a']);
});

test('an existing log is appended to', () => {
  const logs = compileLogs('log_format u $uri; access_log $arg_n.log u; server { }');
  writeFileSync(`${logs.prefix}old.log`, '/before\n');
  log(logs, answered('GET /a?n=old HTTP/1.1'), SERVER);
  expect(linesOf(logs, 'old.log')).toEqual(['/before', '/a']);
});
