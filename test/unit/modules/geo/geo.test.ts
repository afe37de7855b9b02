import { describe, expect, test } from 'vitest';
import { RangeTable } from '../../../../src/modules/geo/range-table.ts';
import { compileGroup, compileText } from '../../../support/compile-text.ts';
import { ask } from '../../../support/fake-client-stream.ts';

/** Value of `$g` for a client's address, or for X-Forwarded-For through it. */
function located(lines: string, remoteAddress: string, forwarded: readonly string[] = []): string {
  const group = compileGroup(`geo $g { ${lines} } server { listen 8080; return 200 "$g"; }`);
  const fields = forwarded.map((value) => `X-Forwarded-For: ${value}`);
  return ask(group, { fields, connection: { remoteAddress } }).body;
}

test.each([
  ['10.0.0.0/8 a; 10.1.0.0/16 b;', '10.2.0.1', 'a'],
  ['10.0.0.0/8 a; 10.1.0.0/16 b;', '10.1.0.1', 'b'],
  ['10.1.0.0/16 b; 10.0.0.0/8 a;', '10.1.0.1', 'b'],
  ['default d; 10.0.0.0/8 a;', '11.0.0.1', 'd'],
  ['10.0.0.0/8 a;', '11.0.0.1', ''],
  ['10.0.0.0/8 a; delete 10.0.0.0/8;', '10.0.0.1', ''],
  ['2001:db8::/32 six; default d;', '2001:db8::9', 'six'],
  ['10.0.0.0/8 a;', '::ffff:10.0.0.1', 'a'],
  ['ranges; default d; 10.0.0.1-10.0.0.9 a;', '10.0.0.9', 'a'],
  ['ranges; default d; 10.0.0.1-10.0.0.9 a;', '10.0.0.10', 'd'],
  ['ranges; 10.0.0.1-10.9.0.0 a; 10.1.0.0-10.1.0.5 b;', '10.1.0.3', 'b'],
  ['ranges; 10.0.0.1-10.9.0.0 a; 10.1.0.0-10.1.0.5 b;', '10.1.0.6', 'a'],
])('%s for %s: %j', (lines, address, value) => {
  expect(located(lines, address)).toBe(value);
});

test('through proxies', () => {
  const lines = 'proxy 10.0.0.0/8; 10.0.0.0/8 proxy; 1.0.0.0/8 client;';
  expect(located(lines, '10.0.0.1', ['1.1.1.1'])).toBe('client');
  expect(located(lines, '10.0.0.1', ['1.1.1.1, 10.0.0.2'])).toBe('proxy');
  expect(located(`${lines} proxy_recursive;`, '10.0.0.1', ['1.1.1.1, 10.0.0.2'])).toBe('client');
  expect(located(lines, '10.0.0.1')).toBe('proxy');
});

test('by a variable', () => {
  const group = compileGroup('geo $arg_ip $g { default d; 1.0.0.0/8 one; } server { listen 8080; return 200 "$g"; }');
  expect(ask(group, { target: '/?ip=1.2.3.4' }).body).toBe('one');
  expect(ask(group, { target: '/?ip=x' }).body).toBe('d');
});

test.each([
  ['10.0.0.0/8 a; 10.0.0.0/8 b;', 'warn: duplicate network "10.0.0.0/8", value: "b", old value: "a" in test.conf:4'],
  ['10.0.0.1/8 a;', 'warn: low address bits of 10.0.0.1/8 are meaningless in test.conf:4'],
  ['delete 10.0.0.0/8;', 'warn: no network "10.0.0.0/8" to delete in test.conf:4'],
  ['x a;', 'emerg: invalid network "x" in test.conf:4'],
  ['x;', 'emerg: invalid number of the geo parameters in test.conf:4'],
  [
    '10.0.0.0/8 a; ranges;',
    'emerg: the "ranges" directive must be the first directive inside "geo" block in test.conf:4',
  ],
  ['ranges; 10.0.0.0/8 a;', 'emerg: invalid range "10.0.0.0/8" in test.conf:4'],
  [
    'ranges; 10.0.0.1-10.0.0.9 a; 10.0.0.5-10.0.0.12 b;',
    'emerg: range "10.0.0.5-10.0.0.12" overlaps "10.0.0.1-10.0.0.9" in test.conf:4',
  ],
])('%s', (lines, finding) => {
  expect(compileText(`geo $g {\n${lines}\n}`).findings).toEqual([finding]);
});

describe('ranges', () => {
  /** What addresses 0-9 of the table have. */
  const line = (table: RangeTable): string =>
    Array.from({ length: 10 }, (_, address) => table.find(address) ?? '.').join('');
  const tableOf = (...ranges: readonly (readonly [number, number, string])[]): RangeTable => {
    const table = new RangeTable();
    for (const [start, end, value] of ranges) table.add(start, end, value);
    return table;
  };

  test.each([
    [
      [
        [2, 4, 'a'],
        [6, 8, 'b'],
      ],
      '..aaa.bbb.',
    ],
    [
      [
        [6, 8, 'b'],
        [2, 4, 'a'],
      ],
      '..aaa.bbb.',
    ],
    [
      [
        [0, 9, 'a'],
        [3, 5, 'b'],
      ],
      'aaabbbaaaa',
    ],
    [
      [
        [0, 9, 'a'],
        [0, 5, 'b'],
      ],
      'bbbbbbaaaa',
    ],
    [
      [
        [0, 9, 'a'],
        [5, 9, 'b'],
      ],
      'aaaaabbbbb',
    ],
    [
      [
        [0, 9, 'a'],
        [0, 9, 'b'],
      ],
      'bbbbbbbbbb',
    ],
    [
      [
        [0, 0, 'a'],
        [9, 9, 'b'],
        [5, 5, 'c'],
      ],
      'a....c...b',
    ],
    [
      [
        [0, 9, 'a'],
        [3, 5, 'b'],
        [4, 4, 'c'],
      ],
      'aaabcbaaaa',
    ],
  ] as const)('%j', (ranges, expected) => {
    expect(line(tableOf(...ranges))).toBe(expected);
  });

  test('what overlaps is refused and changes nothing', () => {
    const table = tableOf([2, 4, 'a']);
    expect(table.add(4, 6, 'b')).toEqual([{ kind: 'overlap', start: 2, end: 4 }]);
    expect(line(table)).toBe('..aaa.....');
  });

  test('over several blocks, up to the last address', () => {
    const table = tableOf([0xfffe_0005, 0xffff_ffff, 'a']);
    expect([0xfffe_0004, 0xfffe_0005, 0xfffe_ffff, 0xffff_0000, 0xffff_ffff].map((at) => table.find(at))).toEqual([
      null,
      'a',
      'a',
      'a',
      'a',
    ]);
    expect(table.delete(0xfffe_0005, 0xffff_ffff)).toBe(true);
    expect(table.find(0xffff_0000)).toBeNull();
    expect(table.delete(0, 1)).toBe(false);
  });
});
