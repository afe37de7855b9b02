import { describe, expect, test } from 'vitest';
import { HostTable } from '../../../src/http/host-table.ts';

function tableOf(...names: readonly string[]): HostTable<string> {
  const table = new HostTable<string>();
  for (const name of names) expect(table.add(name, name)).toBe('added');
  return table;
}

describe('finds', () => {
  const table = tableOf('a.example', '*.example', '.b.example', '*.c.b.example', 'www.*', 'www.a.*', '');
  test.each([
    ['a.example', 'a.example'],
    ['x.example', '*.example'],
    ['x.a.example', '*.example'],
    ['example', undefined],
    ['b.example', '.b.example'],
    ['x.b.example', '.b.example'],
    ['x.c.b.example', '*.c.b.example'],
    ['c.b.example', '.b.example'],
    ['www.test', 'www.*'],
    ['www.a.test', 'www.a.*'],
    ['www.example', '*.example'],
    ['www', undefined],
    ['', ''],
  ])('%j: %j', (host, name) => {
    expect(table.find(host)).toBe(name);
  });
});

test.each([
  [['a.b'], 'A.B', 'conflict'],
  [['.a.b'], 'a.b', 'conflict'],
  [['.a.b'], '*.a.b', 'conflict'],
  [['a.b'], '.a.b', 'conflict'],
  [['a.*'], 'a.*', 'conflict'],
  [[], '*.a.*', 'invalid'],
  [[], 'a.*.b', 'invalid'],
  [[], 'a..b', 'invalid'],
  [[], '*', 'invalid'],
  [[], '.', 'added'],
] as const)('with %j, %s is %s', (names, name, result) => {
  expect(tableOf(...names).add(name, name)).toBe(result);
});

test('keeps its names under other values', () => {
  const table = tableOf('a', '*.b', 'c.*').map((name) => name.length);
  expect([table.find('a'), table.find('x.b'), table.find('c.x'), table.size]).toEqual([1, 3, 3, 3]);
});
