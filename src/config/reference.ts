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
  const sorted = rows.toSorted((a, b) => compare(a.name, b.name) || a.contexts - b.contexts);
  // Directives that read the same but for their names share a line.
  const alike = Map.groupBy(sorted, (row) => [row.contexts, plainUsage(row), row.defaultText, row.doc].join('\n'));
  const lines = [...alike.values()].map((group) => {
    const [row] = group;
    if (row === undefined) return '';
    const fallback = row.defaultText === undefined ? '–' : code(row.defaultText);
    const usages = group.map((one) => code(`${one.name}${plainUsage(one)}`)).join('<br>');
    return `| ${usages} | ${fallback} | ${contextNames(row.contexts).join(', ')} | ${cell(row.doc)} |`;
  });
  return [`### ${module.name}`, '', '| directive | default | contexts | |', '|---|---|---|---|', ...lines, ''].join(
    '\n',
  );
}

/** What stands behind the name. */
function plainUsage(row: DirectiveSpec<object>): string {
  const syntax = row.syntax ?? plainSyntax(row);
  return (syntax === '' ? '' : ` ${syntax}`) + (row.block === undefined ? '' : ' { … }');
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
