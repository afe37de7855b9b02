import type { DirectiveUse } from '../../config/directive-spec.ts';
import { compilePattern } from '../../http/pcre/compile-pattern.ts';
import type { Condition, FileTest } from './rewrite-conf.ts';

/** `if (…)`: the parentheses may stick to the words or stand alone. */
export function parseCondition(use: DirectiveUse): Condition {
  // 1. The words between the parentheses: from `begin` to `end`, which nginx counts so that `()` is a word of its own.
  const words = [...use.args];
  const invalid = (word: string): never => use.fail(`invalid condition "${word}"`);

  const opening = words[0] ?? '';
  if (!opening.startsWith('(')) return invalid(opening);
  const begin = opening === '(' ? 1 : 0;
  if (begin === 0) words[0] = opening.slice(1);
  const closing = words[words.length - 1] ?? '';
  if (!closing.endsWith(')')) return invalid(closing);
  const end = closing === ')' ? words.length - 2 : words.length - 1;
  if (closing !== ')') words[end] = closing.slice(0, -1);
  const count = end - begin + 1;
  const [first = '', operator = '', value = ''] = words.slice(begin);

  // 2. `$name`, `$name operator value`
  if (first.length > 1 && first.startsWith('$')) {
    const name = first.slice(1);
    if (count !== 1 && count !== 3) return invalid(first);
    if (count === 1) return { kind: 'set', name };
    const isNegative = operator.startsWith('!');
    if (operator === '=' || operator === '!=') return { kind: 'equal', name, value, isNegative };
    if (!/^!?~\*?$/.test(operator)) return use.fail(`unexpected "${operator}" in condition`);
    return {
      kind: 'match',
      name,
      pattern: compilePattern(value, { caseInsensitive: operator.endsWith('*') }),
      isNegative,
    };
  }
  // 3. `-f path`
  if (/^!?-.$/s.test(first)) {
    if (count !== 2) return invalid(first);
    const test = fileTest(first.slice(-1));
    if (test === null) return invalid(first);
    return { kind: 'file', test, path: operator, isNegative: first.startsWith('!') };
  }
  return invalid(first);
}

function fileTest(letter: string): FileTest | null {
  return letter === 'f' || letter === 'd' || letter === 'e' || letter === 'x' ? letter : null;
}
