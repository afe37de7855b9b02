import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ErrorLog } from '../../../src/observe/error-log.ts';
import { LogFiles } from '../../../src/observe/log-files.ts';
import { tempFolder } from '../../support/temp-folder.ts';

let prefix = '';
let files = new LogFiles('/');

beforeEach(() => {
  prefix = `${tempFolder('observe')}/`;
  files = new LogFiles(prefix);
});

const read = (name: string): string => readFileSync(join(prefix, name), 'latin1');
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('error log', () => {
  test("writes nginx's line with the connection and the fields, client and server bare", async () => {
    const log = new ErrorLog([{ file: files.open('error.log'), level: 'error', format: 'nginx' }]);
    log.write('error', 'no live upstreams', 7, ['client', '1.2.3.4', 'server', 'a', 'request', 'GET / HTTP/1.1']);
    await turn();
    expect(read('error.log')).toMatch(
      new RegExp(
        `^\\d{4}/\\d\\d/\\d\\d \\d\\d:\\d\\d:\\d\\d \\[error\\] ${process.pid}#${process.pid}: \\*7 no live upstreams, client: 1\\.2\\.3\\.4, server: a, request: "GET / HTTP/1\\.1"\\n$`,
      ),
    );
  });

  test('has no *N without a connection', () => {
    const log = new ErrorLog([{ file: files.open('error.log'), level: 'notice', format: 'nginx' }]);
    log.write('notice', 'start worker processes');
    files.flush();
    expect(read('error.log')).toMatch(/#\d+: start worker processes\n$/);
  });

  test('writes to each target what is at or above its level', () => {
    const log = new ErrorLog([
      { file: files.open('all.log'), level: 'debug', format: 'nginx' },
      { file: files.open('bad.log'), level: 'crit', format: 'nginx' },
    ]);
    log.write('info', 'one');
    log.write('alert', 'two');
    files.flush();
    expect(read('all.log')).toMatch(/one\n.*two\n$/);
    expect(read('bad.log')).not.toContain('one');
    expect(read('bad.log')).toContain('[alert]');
    expect(log.isEnabled('debug')).toBe(true);
  });

  test('json gives one object a line, with the fields by name', () => {
    const log = new ErrorLog([{ file: files.open('error.log'), level: 'error', format: 'json' }]);
    log.write('error', 'connect() failed', 3, ['client', '::1', 'upstream', 'http://127.0.0.1:1/']);
    files.flush();
    const line = JSON.parse(read('error.log'));
    expect(line).toMatchObject({
      level: 'error',
      pid: process.pid,
      connection: 3,
      client: '::1',
      upstream: 'http://127.0.0.1:1/',
      msg: 'connect() failed',
    });
    expect(Date.parse(line.time)).toBeGreaterThan(0);
  });
});

describe('log files', () => {
  test('one file for one path, absolute or relative', () => {
    expect(files.open('a.log')).toBe(files.open(`${prefix}a.log`));
  });

  test('a line reaches the file at the end of the turn, and at flush', async () => {
    const file = files.open('a.log');
    file.write('one');
    expect(read('a.log')).toBe('');
    files.flush();
    expect(read('a.log')).toBe('one\n');
    file.write('two');
    await turn();
    expect(read('a.log')).toBe('one\ntwo\n');
  });

  test('a buffered file waits for its size, and for the end of the process', () => {
    const file = files.open('a.log', { bufferBytes: 10 });
    file.write('12345');
    files.flush();
    expect(read('a.log')).toBe('');
    file.write('67890');
    expect(read('a.log')).toBe('12345\n');
    files.flushAtExit();
    expect(read('a.log')).toBe('12345\n67890\n');
  });

  test('reopen writes what waits to the old file and goes on with a new one', () => {
    const file = files.open('a.log');
    file.write('old');
    renameSync(join(prefix, 'a.log'), join(prefix, 'a.log.1'));
    expect(files.reopen()).toEqual([]);
    file.write('new');
    files.flush();
    expect([read('a.log.1'), read('a.log')]).toEqual(['old\n', 'new\n']);
  });

  test("a file that can't be opened is a finding in nginx's words", () => {
    expect(() => files.open('no/such/a.log')).toThrow(
      `open() "${prefix}no/such/a.log" failed (2: No such file or directory)`,
    );
  });

  test('a file that the new configuration does not name is closed; a late line still reaches it', () => {
    const late = files.open('a.log');
    files.begin();
    files.open('b.log');
    files.commit();
    expect(files.paths()).toEqual([`${prefix}b.log`]);
    late.write('late');
    late.flush();
    expect(read('a.log')).toBe('late\n');
  });

  test('bytes go through as they came', () => {
    files.open('a.log').write('\xc3\xa9');
    files.flush();
    expect(readFileSync(join(prefix, 'a.log'), 'utf8')).toBe('é\n');
  });
});
