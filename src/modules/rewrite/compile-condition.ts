import { type Stats, statSync } from 'node:fs';
import { systemErrorText } from '../../config/system-error.ts';
import { capturingMatch, NO_CAPTURES } from '../../http/capturing-match.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { VariableCompiler } from '../../http/variable.ts';
import type { Condition, FileTest } from './rewrite-conf.ts';
import { compileRunText, type RewriteRun } from './rewrite-run.ts';

/** Whether the condition of an `if` holds. */
type Check = (run: RewriteRun) => boolean;

export function compileCondition(condition: Condition, variables: VariableCompiler): Check {
  switch (condition.kind) {
    case 'set': {
      const getter = variables.variable(condition.name);
      return ({ ex }) => {
        const value = getter(ex);
        return value !== null && value !== '' && value !== '0';
      };
    }
    case 'equal': {
      const { isNegative } = condition;
      const getter = variables.variable(condition.name);
      const value = compileRunText(condition.value, false, variables);
      return (run) => ((getter(run.ex) ?? '') === value(run)) !== isNegative;
    }
    case 'match':
      return compileMatch(condition, variables);
    case 'file': {
      const { test, isNegative } = condition;
      const path = compileRunText(condition.path, false, variables);
      return (run) => isFile(test, path(run), run.ex) !== isNegative;
    }
  }
}

/** Sets the captures; a pattern that does not match leaves none behind. */
function compileMatch(
  { name, pattern, isNegative }: Condition & { kind: 'match' },
  variables: VariableCompiler,
): Check {
  const getter = variables.variable(name);
  const match = capturingMatch(pattern, variables, false);
  return (run) => {
    const { ex } = run;
    const subject = getter(ex) ?? '';
    const isMatch = match.matches(subject, ex);
    run.log(`"${pattern.source}" ${isMatch ? 'matches' : 'does not match'} "${subject}"`);
    if (!isMatch) ex.captures = NO_CAPTURES;
    return isMatch !== isNegative;
  };
}

const OWNER_MAY_EXECUTE = 0o100;
/** What may be wrong with a path without a word in the log. */
const NOT_THERE = /^(2|20|36): /;

function isFile(test: FileTest, path: string, ex: Exchange): boolean {
  const found = stat(path, ex);
  if (found === null) return false;
  switch (test) {
    case 'f':
      return found.isFile();
    case 'd':
      return found.isDirectory();
    case 'e':
      return found.isFile() || found.isDirectory();
    case 'x':
      return (found.mode & OWNER_MAY_EXECUTE) !== 0;
  }
}

function stat(path: string, ex: Exchange): Stats | null {
  // No file has a name with NUL; the system would stop reading there.
  const name = path.split('\0', 1)[0] ?? '';
  try {
    return statSync(Buffer.from(name, 'latin1'));
  } catch (error) {
    const text = systemErrorText(error);
    if (!NOT_THERE.test(text)) ex.location.errorLog.write('crit', ex, `stat() "${name}" failed (${text})`);
    return null;
  }
}
