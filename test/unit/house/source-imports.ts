import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** The folders of src/, lowest first. A folder imports only from folders before it in this list, and from itself. */
export const FOLDERS = [
  'core',
  'config',
  'policy',
  'observe',
  'http',
  'net',
  'h1',
  'h2',
  'upstream',
  'stream',
  'probe',
  'modules',
  'runtime',
  'process',
  'cli',
] as const;

/** One import of a source file. `target` is a path under src/ for our own files, else the package as written. */
export interface SourceImport {
  readonly file: string;
  readonly line: number;
  readonly target: string;
  readonly isOwn: boolean;
  readonly isTypeOnly: boolean;
}

const STATIC = /^(?:import|export)\s+(type\s)?[^;'"]*?from\s+['"]([^'"]+)['"]/gm;
const BARE = /^import\s+()['"]([^'"]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*()['"]([^'"]+)['"]/g;

/** Every import in one file's text. `file` is its path under src/. */
export function importsOf(file: string, text: string): SourceImport[] {
  const found: SourceImport[] = [];
  for (const pattern of [STATIC, BARE, DYNAMIC]) {
    for (const match of text.matchAll(pattern)) {
      const specifier = match[2] ?? '';
      const isOwn = specifier.startsWith('.');
      found.push({
        file,
        line: text.slice(0, match.index).split('\n').length,
        target: isOwn ? normalize(join(dirname(file), specifier)) : specifier,
        isOwn,
        isTypeOnly: match[1] !== undefined && match[1] !== '',
      });
    }
  }
  return found;
}

/** Every .ts file under `root`, as paths relative to it. */
export function sourceFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort();
}

/** Every import of every file under `root`. */
export function allImports(root: string): SourceImport[] {
  return sourceFiles(root).flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')));
}

/** Groups of files that need each other at run time, as `a.ts -> b.ts -> a.ts`. Type-only imports vanish, so they do not count. */
export function importCycles(imports: readonly SourceImport[]): string[] {
  const needs = new Map<string, string[]>();
  for (const one of imports) {
    if (one.isOwn && !one.isTypeOnly) needs.set(one.file, [...(needs.get(one.file) ?? []), one.target]);
  }
  const cycles: string[] = [];
  const finished = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      cycles.push([...path.slice(start), file].join(' -> '));
      return;
    }
    if (finished.has(file)) return;
    for (const next of needs.get(file) ?? []) visit(next, [...path, file]);
    finished.add(file);
  };
  for (const file of needs.keys()) visit(file, []);
  return cycles;
}
