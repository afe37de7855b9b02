import { expect, test } from 'vitest';
import { validateHost } from '../../../src/http/host-name.ts';

test.each<[string, string | null]>([
  ['localhost', 'localhost'],
  ['a.b-c_d.example', 'a.b-c_d.example'],
  ['Main.EXAMPLE', 'main.example'],
  ['a:80', 'a'],
  ['a.b.:80', 'a.b'],
  ['a.', 'a'],
  ['a:', 'a'],
  ['a:b', 'a'],
  ['.a', '.a'],
  ['[::1]', '[::1]'],
  ['[::1]:80', '[::1]'],
  ['[FE80::1]', '[fe80::1]'],
  ['[::1', '[::1'],
  ['user@a', 'user@a'],
  ['\xc3\xa9', '\xc3\xa9'],
  ['\xc3\x89A', '\xc3\x89a'],
  ['', null],
  ['.', null],
  [':80', null],
  ['a..b', null],
  ['..', null],
  ['a/b', null],
  ['a b', null],
  ['a\0', null],
  ['a\x7f', null],
  ['a:8 0', null],
])('%j names %j', (value, host) => {
  expect(validateHost(value)).toBe(host);
});
