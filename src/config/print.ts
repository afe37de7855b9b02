import type { Directive } from './tree.ts';

const INDENT = '    ';

/** Tree -> nginx text that reads back as the same tree: four spaces a level, quotes only where they are needed, ends with a newline. */
export function printTree(directives: readonly Directive[]): string {
  const lines: string[] = [];
  printBlock(directives, 0, lines);
  return lines.map((line) => `${line}\n`).join('');
}

function printBlock(directives: readonly Directive[], depth: number, lines: string[]): void {
  const indent = INDENT.repeat(depth);
  for (const directive of directives) {
    const words = [directive.name, ...directive.args].map(printWord).join(' ');
    if (directive.block === null) {
      lines.push(`${indent}${words};`);
    } else if (directive.block.length === 0) {
      lines.push(`${indent}${words} {}`);
    } else {
      if (depth === 0 && lines.length > 0) lines.push('');
      lines.push(`${indent}${words} {`);
      printBlock(directive.block, depth + 1, lines);
      lines.push(`${indent}}`);
    }
  }
}

/** One word as nginx reads it back: plain, "quoted" or, when it holds double quotes only, 'quoted'. */
export function printWord(word: string): string {
  const escaped = escapeBackslashes(word);
  if (/^[^\s\p{Cc};{}"'#]+$/u.test(word)) return escaped;
  const quote = word.includes('"') && !word.includes("'") ? "'" : '"';
  const content = escaped
    .replaceAll(quote, `\\${quote}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
  return quote + content + quote;
}

/**
 * A backslash that nginx would take for the start of an escape is doubled; the others stay as they are, so that regexes read well.
 * The character behind a single one is passed over with it.
 */
function escapeBackslashes(word: string): string {
  return word.replace(/\\([^\\"'trn\n\r\t]?)/g, (_, next: string) => (next === '' ? '\\\\' : `\\${next}`));
}
