import { afterAll, describe, expect, it } from 'vitest';
import { globPaths, matchesGlob } from '../../../src/config/glob.ts';
import { removeTempFiles, writeTempFiles } from './temp-files.ts';

describe('one component', () => {
  it.each([
    ['a.conf', '*.conf', true],
    ['.conf', '*.conf', false],
    ['.conf', '.*', true],
    ['ab', 'a?', true],
    ['a', 'a?', false],
    ['b', '[a-c]', true],
    ['b', '[!a-c]', false],
    ['d', '[^a-c]', true],
    [']', '[]a]', true],
    ['-', '[a-]', true],
    ['5', '[[:digit:]]', true],
    ['x', '[[:digit:]x]', true],
    ['y', '[[:digit:]x]', false],
    ['[a', '[a', true],
    ['*', '\\*', true],
    ['x', '\\*', false],
    ['aXbXc', 'a*b*c', true],
    ['a'.repeat(200), `${'*a'.repeat(100)}b`, false],
  ])('%j against %j', (name, pattern, expected) => expect(matchesGlob(name, pattern)).toBe(expected));
});

describe('paths', () => {
  const directory = writeTempFiles({ 'a/x.conf': '', 'a-b/x.conf': '', 'b/y.conf': '', 'b/.z.conf': '', 'c.conf': '' });
  afterAll(() => removeTempFiles(directory));
  const found = (pattern: string): string[] =>
    globPaths(directory + pattern).map((path) => path.replace(directory, ''));

  it.each([
    ['*.conf', ['c.conf']],
    ['*/*.conf', ['a-b/x.conf', 'a/x.conf', 'b/y.conf']],
    ['*/x.conf', ['a-b/x.conf', 'a/x.conf']],
    ['[ab]/*', ['a/x.conf', 'b/y.conf']],
    ['c.conf/*', []],
    ['none/*', []],
    ['*', ['a', 'a-b', 'b', 'c.conf']],
    ['b/../*.conf', ['b/../c.conf']],
    ['[c.conf', []],
  ])('%s', (pattern, expected) => expect(found(pattern)).toEqual(expected));
});
