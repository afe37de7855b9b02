import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LogFileCache, type LogFileCacheConf } from '../../../../src/modules/log/log-file-cache.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

const CONF: LogFileCacheConf = { maxFiles: 2, inactiveMs: 10_000, validMs: 60_000, minUses: 1 };

function cacheOver(conf: LogFileCacheConf | null) {
  const clock = { nowMs: 0 };
  const folder = tempFolder('log-cache');
  const cache = new LogFileCache(conf, () => clock.nowMs);
  const path = (name: string): string => join(folder, name);
  return { cache, clock, path, read: (name: string) => readFileSync(path(name), 'latin1') };
}

test('without a cache no file stays open', () => {
  const { cache, path, read } = cacheOver(null);
  expect(cache.append(path('a'), 'one\n')).toBeNull();
  expect(cache.append(path('a'), 'two\xe9\n')).toBeNull();
  expect(cache.openCount).toBe(0);
  expect(read('a')).toBe('one\ntwo\xe9\n');
});

test('the files used last stay open, no more than max', () => {
  const { cache, path, read } = cacheOver(CONF);
  for (const name of ['a', 'b', 'a', 'c']) cache.append(path(name), `${name}\n`);
  expect(cache.openCount).toBe(2);
  cache.append(path('b'), 'again\n');
  expect(read('a')).toBe('a\na\n');
  expect(read('b')).toBe('b\nagain\n');
  cache.close();
  expect(cache.openCount).toBe(0);
});

test('a file that was moved away is let go when it is no longer valid', () => {
  const { cache, clock, path, read } = cacheOver(CONF);
  cache.append(path('a'), '1\n');
  renameSync(path('a'), path('a.old'));
  cache.append(path('a'), '2\n');
  clock.nowMs = CONF.validMs;
  cache.append(path('a'), '3\n');
  expect(read('a.old')).toBe('1\n2\n');
  expect(read('a')).toBe('3\n');
  cache.close();
});

test('a file stays open after min_uses only', () => {
  const { cache, path } = cacheOver({ ...CONF, minUses: 3 });
  cache.append(path('a'), '1\n');
  cache.append(path('a'), '2\n');
  expect(cache.openCount).toBe(0);
  cache.append(path('a'), '3\n');
  expect(cache.openCount).toBe(1);
  cache.close();
});

test("a failure is told in nginx's words", () => {
  const { cache, path } = cacheOver(CONF);
  expect(cache.append(path('none/a'), 'x\n')).toBe(`open() "${path('none/a')}" failed (2: No such file or directory)`);
  expect(cache.append(path('a\0b'), 'x\n')).toBeNull();
  cache.close();
});
