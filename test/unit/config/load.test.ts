import { symlinkSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { formatDiagnostic } from '../../../src/config/diagnostic.ts';
import { dumpConfig } from '../../../src/config/dump.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { removeTempFiles, writeTempFiles } from './temp-files.ts';

const made: string[] = [];
afterAll(() => made.forEach(removeTempFiles));

function load(files: Record<string, string>, options: { file?: string; globalDirectives?: string } = {}) {
  const directory = writeTempFiles(files);
  made.push(directory);
  const result = loadConfig({ prefix: directory.slice(0, -1), file: 'nginx.conf', ...options });
  return { ...result, directory, texts: result.diagnostics.map((d) => formatDiagnostic(d).replaceAll(directory, '')) };
}

it('reads bytes, not characters', () => {
  const { snapshot } = load({ 'nginx.conf': 'a "caf\u00c3\u00a9\u00ff";' });
  expect(snapshot.tree[0]?.args).toEqual(['caf\u00c3\u00a9\u00ff']);
});

it('resolves includes against the main file, not against the prefix nor the including file', () => {
  const { snapshot, texts } = load(
    {
      'conf/main.conf': 'include d/a.conf;',
      'conf/d/a.conf': 'include d/b.conf;',
      'conf/d/b.conf': 'found;',
    },
    { file: 'conf/main.conf' },
  );
  expect(texts).toEqual([]);
  expect(snapshot.tree.map((directive) => directive.name)).toEqual(['found']);
});

it('a missing main file has no position', () => {
  const { texts, isComplete, snapshot } = load({ other: '' });
  expect(texts).toEqual(['open() "nginx.conf" failed (2: No such file or directory)']);
  expect(isComplete).toBe(false);
  expect(snapshot.tree).toEqual([]);
});

it('a directory in place of a file', () => {
  const { texts } = load({ 'nginx.conf': 'include d;', 'd/x': '' });
  expect(texts).toEqual(['pread() "d" failed (21: Is a directory) in nginx.conf:1']);
});

it('a wildcard that finds a link to nowhere fails as nginx does', () => {
  const directory = writeTempFiles({ 'nginx.conf': 'include *.x;' });
  made.push(directory);
  symlinkSync('nowhere', `${directory}a.x`);
  const { diagnostics } = loadConfig({ prefix: directory, file: 'nginx.conf' });
  expect(diagnostics.map((d) => d.text.replaceAll(directory, ''))).toEqual([
    'open() "a.x" failed (2: No such file or directory)',
  ]);
});

it('-g comes first and may include', () => {
  const { snapshot } = load({ 'nginx.conf': 'c;', 'b.conf': 'b;' }, { globalDirectives: 'a; include b.conf;' });
  expect(snapshot.tree.map(({ name, pos }) => [name, pos.line])).toEqual([
    ['a', 0],
    ['b', 1],
    ['c', 1],
  ]);
});

it('-T shows every file once, verbatim, in the order read', () => {
  const { snapshot, directory } = load({
    'nginx.conf': 'include a;\ninclude b;\ninclude a;',
    a: 'x;\n',
    b: '# nothing',
  });
  expect(dumpConfig(snapshot).replaceAll(directory, '')).toBe(
    [
      '# configuration file nginx.conf:',
      'include a;',
      'include b;',
      'include a;',
      '# configuration file a:',
      'x;',
      '',
      '# configuration file b:',
      '# nothing',
      '',
    ].join('\n'),
  );
  expect(snapshot.tree.map((directive) => directive.name)).toEqual(['x', 'x']);
});

it('the snapshot is plain JSON', () => {
  const { snapshot } = load({ 'nginx.conf': 'a { include b; }', b: 'c "\u00ff";' });
  expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
});
