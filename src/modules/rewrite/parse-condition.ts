import type { DirectiveUse } from '../../config/directive-spec.ts';
import { compilePattern } from '../../http/pcre/compile-pattern.ts';
import type { Condition, FileTest } from './rewrite-conf.ts';

/** `if (…)`: the parentheses may stick to the words or stand alone. */
export function parseCondition(use: DirectiveUse): Condition {
  const words = insideParentheses(use);
  const [first = '', operator, value = ''] = words;
  const invalid = (word: string): never => use.fail(`invalid condition "${word}"`);

  if (first.length > 1 && first.startsWith('$')) {
    const name = first.slice(1);
    if (words.length !== 1 && words.length !== 3) return invalid(first);
    if (operator === undefined) return { kind: 'set', name };
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
  if (/^(-.|!-.)$/s.test(first)) {
    if (words.length !== 2) return invalid(first);
    const test = fileTest(first.slice(-1));
    if (test === null) return invalid(first);
    return { kind: 'file', test, path: operator ?? '', isNegative: first.startsWith('!') };
  }
  return invalid(first);
}

function fileTest(letter: string): FileTest | null {
  return letter === 'f' || letter === 'd' || letter === 'e' || letter === 'x' ? letter : null;
}

function insideParentheses(use: DirectiveUse): readonly string[] {
  const words = [...use.args];
  const [first = ''] = words;
  if (!first.startsWith('(')) return use.fail(`invalid condition "${first}"`);
  words[0] = first.slice(1);
  const last = words[words.length - 1] ?? '';
  if (!last.endsWith(')')) return use.fail(`invalid condition "${last}"`);
  words[words.length - 1] = last.slice(0, -1);
  if (last === ')' && words.length > 1) words.pop();
  if (first === '(' && words.length > 1) words.shift();
  return words;
}
