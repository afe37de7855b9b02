import { contextNames } from './contexts.ts';
import type { AnyConfModule, DirectiveSpec } from './directive-spec.ts';

/** The reference of all directives as Markdown: a heading and a table for each module, modules and directives sorted by name. */
export function directiveTable(modules: readonly AnyConfModule[]): string {
  return modules
    .filter((module) => module.rows.length > 0)
    .toSorted((a, b) => compare(a.name, b.name))
    .map(moduleTable)
    .join('\n');
}

function moduleTable(module: AnyConfModule): string {
  const rows: readonly DirectiveSpec<object>[] = module.rows;
  const lines = rows
    .toSorted((a, b) => compare(a.name, b.name) || a.contexts - b.contexts)
    .map((row) => {
      const fallback = row.defaultText === undefined ? '–' : code(row.defaultText);
      return `| ${code(usage(row))} | ${fallback} | ${contextNames(row.contexts).join(', ')} | ${cell(row.doc)} |`;
    });
  return [`### ${module.name}`, '', '| directive | default | contexts | |', '|---|---|---|---|', ...lines, ''].join(
    '\n',
  );
}

function usage(row: DirectiveSpec<object>): string {
  const syntax = row.syntax ?? plainSyntax(row);
  const words = syntax === '' ? row.name : `${row.name} ${syntax}`;
  return row.block === undefined ? words : `${words} { … }`;
}

function plainSyntax(row: DirectiveSpec<object>): string {
  if (row.args === 'flag') return 'on | off';
  const [min, max] = typeof row.args === 'number' ? [row.args, row.args] : row.args;
  if (max === 0) return '';
  return min === 1 && max === 1 ? 'value' : min === 0 ? '[value …]' : 'value …';
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

/** A pipe would end the cell, even inside backquotes. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
