import { describe, expect, test } from 'vitest';
import { compileGroup, compileText } from '../../../support/compile-text.ts';
import { ask } from '../../../support/fake-client-stream.ts';

/** Value of `$m` for `?v=`. */
function mapped(lines: string, value: string, more = ''): string {
  const group = compileGroup(`map $arg_v $m { ${lines} } ${more} server { listen 8080; return 200 "$m"; }`);
  return ask(group, { target: `/?v=${value}` }).body;
}

test.each<[string, string, string, string]>([
  ['a key', 'a 1; default 0;', 'a', '1'],
  ['a key in any case', 'Ab 1;', 'aB', '1'],
  ['default', 'a 1; default 0;', 'b', '0'],
  ['no default', 'a 1;', 'b', ''],
  ['the empty key', '"" empty;', '', 'empty'],
  ['a key that is a word of its own', '\\default 1; \\~a 2;', 'default', '1'],
  ['a key with a tilde', '\\default 1; \\~a 2;', '~a', '2'],
  ['a regex', '~^a(.)$ "<$1>";', 'ab', '<b>'],
  ['a regex by name', '~^a(?<rest>.)$ "<$rest>";', 'ab', '<b>'],
  ['a regex without case', '~*^A 1;', 'ab', '1'],
  ['keys before regexes', '~^a regex; ab key;', 'ab', 'key'],
  ['regexes in order', '~^a first; ~^ab second;', 'ab', 'first'],
  ['a host', 'hostnames; *.b 1; b.* 2;', 'x.b', '1'],
  ['a host with a dot behind', 'hostnames; a.b 1;', 'a.b.', '1'],
  ['a variable in the value', 'a "$request_method:$arg_v";', 'a', 'GET:a'],
])('%s', (_name, lines, value, result) => {
  expect(mapped(lines, value)).toBe(result);
});

test('is made of another map, wherever that stands', () => {
  expect(mapped('a $n; default $n;', 'x', 'map $arg_v $n { x "by n"; }')).toBe('by n');
});

test('a circle ends', () => {
  expect(mapped('default $n;', 'x', 'map $arg_v $n { default $m; }')).toBe('');
});

describe('once per request', () => {
  const values = (volatile: string): string =>
    ask(
      compileGroup(`map $uri $m { ${volatile} ~^/(\\w+) $1; }
        server { listen 8080; set $first $m; rewrite ^ /b; location / { return 200 "$first $m"; } }`),
      { target: '/a' },
    ).body;
  test('as a rule', () => expect(values('')).toBe('a a'));
  test('but not when volatile', () => expect(values('volatile;')).toBe('a b'));
});

test('set wins', () => {
  const group = compileGroup('map $arg_v $m { default mapped; } server { listen 8080; set $m set; return 200 $m; }');
  expect(ask(group, {}).body).toBe('set');
});

test.each([
  ['a;', 'invalid number of the map parameters in test.conf:4'],
  ['a 1 2;', 'invalid number of the map parameters in test.conf:4'],
  ['a 1; A 2;', 'conflicting parameter "a" in test.conf:4'],
  ['default 1; default 2;', 'duplicate default map parameter in test.conf:4'],
  ['hostnames; *.a.* 1;', 'invalid hostname or wildcard "*.a.*" in test.conf:4'],
  ['a { }', 'unexpected "{" in test.conf:4'],
  ['a $nope;', 'unknown "nope" variable in test.conf:4'],
])('%s is refused', (lines, finding) => {
  expect(compileText(`map $host $m {\n${lines}\n}`).findings).toEqual([`emerg: ${finding}`]);
});
