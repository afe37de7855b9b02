import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MODULES } from '../../../src/runtime/module-list.ts';
import { DELIBERATE_DIFFERENCES } from '../../differential/deliberate-differences.ts';
import { directiveReference, README, readmePart } from './readme-tables.ts';

const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

function firstCells(table: string): string[] {
  const rows = table.trim().split('\n').slice(2);
  return rows.map((row) => row.split('|')[1]?.trim() ?? '');
}

describe('README.md', () => {
  test('the directive table is what the rows say: npm run docs', () => {
    expect(readmePart('directives')).toBe(directiveReference(MODULES));
  });

  test('the table of differences has all that the differential suite knows', () => {
    expect(firstCells(readmePart('differences'))).toEqual(expect.arrayContaining(Object.keys(DELIBERATE_DIFFERENCES)));
  });

  test('every npm script, file and folder that a page names is there', () => {
    for (const page of ['README.md', 'CONTRIBUTING.md', 'src/README.md', 'bench/README.md']) {
      const base = new URL(`../../../${page}`, import.meta.url);
      const text = readFileSync(base, 'utf8');
      const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1] ?? '');
      const missing = links.filter((link) => !existsSync(new URL(link, base)));
      const scripts = [...text.matchAll(/npm run ([a-z:]+)/g)].map((match) => match[1] ?? '');
      const unknown = scripts.filter((script) => !(script in manifest.scripts));
      expect({ page, missing, unknown }).toEqual({ page, missing: [], unknown: [] });
    }
    expect(existsSync(README)).toBe(true);
  });
});
