import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatDiagnostic, includeChain } from '../../../src/config/diagnostic.ts';
import { printTree } from '../../../src/config/print.ts';
import { readConfig } from '../../../src/config/read.ts';
import { sampleModules } from './sample-modules.ts';
import { removeTempFiles, writeTempFiles } from './temp-files.ts';

/**
 * `test/config/*.conf`: the main file, more files behind `=== name`, `----------`, then the findings (an included file's with
 * their chain) or, without any, the tree as it is printed. `-g` stands in a first line `=== -g: text`.
 */
const DIRECTORY = join(import.meta.dirname, '../../config');

describe('golden configurations', () => {
  for (const name of readdirSync(DIRECTORY).filter((file) => file.endsWith('.conf'))) {
    it(name.replace('.conf', ''), () => {
      const [input = '', expected = ''] = readFileSync(join(DIRECTORY, name), 'latin1').split('\n----------\n');
      expect(readGolden(`${input}\n`)).toBe(expected);
    });
  }
});

function readGolden(input: string): string {
  const [first = '', ...others] = input.split(/^=== /m);
  const files: Record<string, string> = { 'nginx.conf': first };
  let globalDirectives = '';
  for (const other of others) {
    const lineEnd = other.indexOf('\n');
    const title = other.slice(0, lineEnd);
    if (title.startsWith('-g: ')) globalDirectives = title.slice(4);
    else files[title] = other.slice(lineEnd + 1);
  }
  const directory = writeTempFiles(files);
  try {
    const read = readConfig({ file: 'nginx.conf', prefix: directory, globalDirectives }, sampleModules);
    const lines = read.diagnostics.flatMap((finding) => [
      (finding.severity === 'warn' ? '[warn] ' : '') + formatDiagnostic(finding),
      ...includeChain(finding).map((line) => `  ${line}`),
    ]);
    const output = lines.length > 0 ? lines.map((line) => `${line}\n`).join('') : printTree(read.snapshot.tree);
    return output.replaceAll(directory, '');
  } finally {
    removeTempFiles(directory);
  }
}
