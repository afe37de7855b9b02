import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MODULES } from '../../../src/runtime/module-list.ts';
import { DELIBERATE_DIFFERENCES } from '../../differential/deliberate-differences.ts';
import { directiveReference, readmePart } from './readme-tables.ts';

const ROOT = new URL('../../../', import.meta.url);
const SRC = new URL('src/', ROOT);
const PAGES = ['.', 'src', 'test', 'bench', 'docker'].flatMap(pagesOf);
const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

function firstCells(table: string): string[] {
  const rows = table.trim().split('\n').slice(2);
  return rows.map((row) => row.split('|')[1]?.trim() ?? '');
}

/** Markdown pages under a folder of the repository; those of test/wire are tests. */
function pagesOf(folder: string): string[] {
  return readdirSync(new URL(`${folder}/`, ROOT), { recursive: folder !== '.', encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('wire/'))
    .map((name) => (folder === '.' ? name : `${folder}/${name}`));
}

describe('README.md', () => {
  test('the directive table is what the rows say: npm run docs', () => {
    expect(readmePart('directives')).toBe(directiveReference(MODULES));
  });

  test('the table of differences is the list of the differential suite', () => {
    expect(firstCells(readmePart('differences'))).toEqual(Object.keys(DELIBERATE_DIFFERENCES));
  });

  test('every npm script, file and folder that a page names is there', () => {
    for (const page of PAGES) {
      const base = new URL(page, ROOT);
      const text = readFileSync(base, 'utf8');
      const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? '');
      const missing = links.filter((link) => !existsSync(new URL(link, base)));
      const scripts = [...text.matchAll(/npm run ([a-z:]+)/g)].map((match) => match[1] ?? '');
      const unknown = scripts.filter((script) => !(script in manifest.scripts));
      expect({ page, missing, unknown }).toEqual({ page, missing: [], unknown: [] });
    }
  });

  test('every source file and every test that a page of src/ names is there, the titles of tests too', () => {
    for (const page of PAGES.filter((name) => name.startsWith('src/'))) {
      const text = readFileSync(new URL(page, ROOT), 'utf8');
      const tests = [...text.matchAll(/`(test\/[\w/.-]+)`(?:\s+"([^"]+)")?/g)];
      const sources = [...text.matchAll(/`([a-z]\w*\/[\w/-]+\.ts)`/g)].map((match) => match[1] ?? '');
      const here = new URL(page, ROOT);
      const missing = [
        ...tests.filter(([, file = '', title]) => !holdsTest(file, title)).map(([whole]) => whole),
        ...sources.filter((file) => ![here, SRC, ROOT].some((base) => existsSync(new URL(file, base)))),
      ];
      expect({ page, missing }).toEqual({ page, missing: [] });
    }
  });
});

function holdsTest(file: string, title: string | undefined): boolean {
  const url = new URL(file, ROOT);
  return existsSync(url) && (title === undefined || readFileSync(url, 'utf8').includes(title));
}
