import { describe, expect, test } from 'vitest';
import { ArgsError, parseNginxArgs } from '../../../src/cli/nginx-args.ts';

describe("nginx's command line", () => {
  test.each([
    [['-t'], { tests: true, dumps: false }],
    [['-T'], { tests: true, dumps: true }],
    [['-tq'], { tests: true, isQuiet: true }],
    [['-tqc', 'a.conf'], { tests: true, isQuiet: true, confFile: 'a.conf' }],
    [['-tca.conf'], { tests: true, confFile: 'a.conf' }],
    [['-c', '-t'], { confFile: '-t', tests: false }],
    [['-p', '/x', '-e', 'stderr'], { prefix: '/x', errorLog: 'stderr' }],
    [['-g', 'daemon off;'], { globals: 'daemon off;' }],
    [['-sreload'], { signal: 'reload' }],
    [['-s', 'quit'], { signal: 'quit' }],
    [['-?'], { showsHelp: true, showsVersion: true }],
    [['-h'], { showsHelp: true }],
    [['-v'], { showsVersion: true, showsConfigure: false }],
    [['-V'], { showsVersion: true, showsConfigure: true }],
    [['-'], { tests: false }],
    [[], { tests: false, confFile: null, prefix: null, errorLog: null, globals: '', signal: null }],
  ])('%j', (argv, expected) => {
    expect(parseNginxArgs(argv)).toMatchObject(expected);
  });

  test.each([
    [['x'], 'invalid option: "x"'],
    [['-x'], 'invalid option: "x"'],
    [['-tx'], 'invalid option: "x"'],
    [['--help'], 'invalid option: "-"'],
    [['-c'], 'option "-c" requires file name'],
    [['-e'], 'option "-e" requires file name'],
    [['-p'], 'option "-p" requires directory name'],
    [['-g'], 'option "-g" requires parameter'],
    [['-s'], 'option "-s" requires parameter'],
    [['-s', 'halt'], 'invalid option: "-s halt"'],
    [['-t', 'a.conf'], 'invalid option: "a.conf"'],
  ])('%j is refused', (argv, text) => {
    expect(() => parseNginxArgs(argv)).toThrow(new ArgsError(text));
  });
});
