import { describe, expect, test } from 'vitest';
import { parseTarget } from '../../../src/http/normalize-uri.ts';

const uriOf = (target: string, mergeSlashes = true) => {
  const parsed = parseTarget(target, mergeSlashes);
  return parsed === null ? null : parsed.args === '' ? parsed.uri : `${parsed.uri} ? ${parsed.args}`;
};

describe('the path of a target', () => {
  test.each<[string, string | null]>([
    ['/', '/'],
    ['/a/b.c', '/a/b.c'],
    ['/a?b=c', '/a ? b=c'],
    ['/a?b=/../c//d', '/a ? b=/../c//d'],
    ['/a?b#c', '/a ? b'],
    ['/a#b?c', '/a'],
    ['', '/'],
    ['?a=b', '/ ? a=b'],
    ['//a///b', '/a/b'],
    ['/a//', '/a/'],
    ['/./a', '/a'],
    ['/a/.', '/a/'],
    ['/a/./b', '/a/b'],
    ['/a/..', '/'],
    ['/a/../b', '/b'],
    ['/a/b/../c', '/a/c'],
    ['/a/b/../../c', '/c'],
    ['/a//../b', '/b'],
    ['/a/...', '/a/...'],
    ['/a/..b', '/a/..b'],
    ['/a/.b', '/a/.b'],
    ['/a./b', '/a./b'],
    ['/a../b', '/a../b'],
    ['/a/..?x', '/ ? x'],
    ['/a/.#x', '/a/'],
    ['/..', null],
    ['/a/../..', null],
    ['/a/../../b', null],
    ['/../', null],
    ['/%61b', '/ab'],
    ['/%2Fa', '/a'],
    ['/a%2fb', '/a/b'],
    ['/a/%2e%2e/b', '/b'],
    ['/a/%2E', '/a/'],
    ['/%2e%2e', null],
    ['/a%3Fb', '/a?b'],
    ['/a%23b', '/a#b'],
    ['/a%25b', '/a%b'],
    ['/a/..%3f', '/a/..?'],
    ['/%2525', '/%25'],
    ['/%e2%82%AC', '/\xe2\x82\xac'],
    ['/%00', null],
    ['/a%', null],
    ['/a%4', null],
    ['/a%4g', null],
    ['/a%4?', null],
    ['/a+b', '/a+b'],
    ['*', null],
    ['a/b', null],
  ])('%s', (target, uri) => {
    expect(uriOf(target)).toBe(uri);
  });

  test.each<[string, string | null]>([
    ['//a///b', '//a///b'],
    ['/a//', '/a//'],
    ['/a//../b', '/a/b'],
    ['/a//./b', '/a//b'],
    ['/a/%2f/b', '/a///b'],
    ['//..', '/'],
    ['//../..', null],
  ])('%s with merge_slashes off', (target, uri) => {
    expect(uriOf(target, false)).toBe(uri);
  });

  test.each<[string, boolean, boolean]>([
    ['/a?b', false, false],
    ['/%61', true, true],
    ['/a//b', true, false],
    ['/a/./b', true, false],
    ['', true, false],
    ['/a?%41', false, false],
  ])('%s is changed: %s, quoted: %s', (target, isChanged, isQuoted) => {
    expect(parseTarget(target, true)).toMatchObject({ isChanged, isQuoted });
  });
});
