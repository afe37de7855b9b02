import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { allImports, FOLDERS, importCycles, importsOf, type SourceImport } from './source-imports.ts';

const imports = allImports(fileURLToPath(new URL('../../../src', import.meta.url)));
const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

/** A policy is numbers in, numbers out: no files, sockets, timers or processes. */
const NOT_IN_POLICY = /^node:(fs|net|dgram|dns|http|http2|https|tls|timers|child_process|cluster|worker_threads)\b/;

function folderRank(path: string): number {
  return FOLDERS.indexOf((path.split('/')[0] ?? '') as (typeof FOLDERS)[number]);
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
}

function where(one: SourceImport): string {
  return `src/${one.file}:${one.line} imports ${one.target}`;
}

describe('imports under src/', () => {
  test('every folder is in the list', () => {
    expect(imports.filter((one) => folderRank(one.file) < 0).map(where)).toEqual([]);
  });

  test('a folder imports only from itself and from folders before it', () => {
    const upward = imports.filter((one) => one.isOwn && folderRank(one.target) > folderRank(one.file));
    expect(upward.map(where)).toEqual([]);
  });

  test('nothing leaves src/, and relative imports name the .ts file', () => {
    const outside = imports.filter((one) => one.isOwn && (folderRank(one.target) < 0 || !one.target.endsWith('.ts')));
    expect(outside.map(where)).toEqual([]);
  });

  test('no two files need each other at run time', () => {
    expect(importCycles(imports)).toEqual([]);
  });

  test('packages are declared as dependencies, and core and policy use none', () => {
    const packages = imports.filter((one) => !one.isOwn && !one.target.startsWith('node:'));
    const undeclared = packages.filter((one) => !(packageOf(one.target) in manifest.dependencies));
    const tooLow = packages.filter((one) => /^(core|policy)\//.test(one.file));
    expect([...undeclared, ...tooLow].map(where)).toEqual([]);
  });

  test('policy does no IO', () => {
    const impure = imports.filter((one) => one.file.startsWith('policy/') && NOT_IN_POLICY.test(one.target));
    expect(impure.map(where)).toEqual([]);
  });
});

describe('the reader of imports', () => {
  test('sees every form, and where it stands', () => {
    const text = [
      'import { a,',
      "  b } from '../core/a.ts';",
      "import type { C } from './c.ts';",
      "import 'node:fs';",
      "export { d } from './d.ts';",
      "// import { no } from './comment.ts';",
      "const late = await import('../cli/late.ts');",
    ].join('\n');
    const seen = importsOf('h1/x.ts', text).map((one) => `${one.line} ${one.target}${one.isTypeOnly ? ' type' : ''}`);
    expect(seen.sort()).toEqual(['1 core/a.ts', '3 h1/c.ts type', '4 node:fs', '5 h1/d.ts', '7 cli/late.ts']);
  });

  test('finds a cycle and ignores types', () => {
    const edge = (file: string, target: string, isTypeOnly = false): SourceImport => ({
      file,
      target,
      line: 1,
      isOwn: true,
      isTypeOnly,
    });
    expect(importCycles([edge('a.ts', 'b.ts'), edge('b.ts', 'a.ts', true)])).toEqual([]);
    expect(importCycles([edge('a.ts', 'b.ts'), edge('b.ts', 'a.ts')])).toEqual(['a.ts -> b.ts -> a.ts']);
  });
});
