import { readFileSync } from 'node:fs';
import type { AnyConfModule } from '../../../src/config/directive-spec.ts';
import { directiveTable } from '../../../src/config/reference.ts';

export const README = new URL('../../../README.md', import.meta.url);

/** The reference of all directives; those that are accepted without effect come last. */
export function directiveReference(modules: readonly AnyConfModule[]): string {
  const isIdle = (module: AnyConfModule): boolean => module.name === 'accepted';
  return `${directiveTable(modules.filter((module) => !isIdle(module)))}\n${directiveTable(modules.filter(isIdle))}`;
}

/** The part of the README between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. */
export function readmePart(name: string, text = readFileSync(README, 'utf8')): string {
  const { start, end } = placeOf(name, text);
  return text.slice(start, end);
}

/** The README's text with that part replaced. */
export function withReadmePart(name: string, part: string, text = readFileSync(README, 'utf8')): string {
  const { start, end } = placeOf(name, text);
  return text.slice(0, start) + part + text.slice(end);
}

function placeOf(name: string, text: string): { start: number; end: number } {
  const begin = `<!-- ${name}:begin -->\n`;
  const start = text.indexOf(begin);
  const end = text.indexOf(`<!-- ${name}:end -->`);
  if (start < 0 || end < start) throw new Error(`README.md has no part ${name}`);
  return { start: start + begin.length, end };
}
