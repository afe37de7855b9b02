import type { Scope } from '../../config/scope.ts';
import { capturingMatch, NO_CAPTURES } from '../../http/capturing-match.ts';
import { respondStatus } from '../../http/error-response.ts';
import { DONE, type Location } from '../../http/location.ts';
import { switchLocation } from '../../http/phases.ts';
import { locationValue } from '../../http/redirect.ts';
import type { VariableCompiler } from '../../http/variable.ts';
import { compileCondition } from './compile-condition.ts';
import { compileReturn } from './return.ts';
import type { RewriteRule, RewriteStep } from './rewrite-conf.ts';
import { ANSWERED, compileRunText, GO_ON, runSteps, STOP, type Step } from './rewrite-run.ts';
import { unescapeRedirect } from './unescape-redirect.ts';

/** What an `if` needs of its own block. */
export interface InnerBlock {
  readonly steps: readonly RewriteStep[];
  /** What holds from then on, compiled; null in a server, where nothing but the steps counts. */
  readonly location: Location | null;
}

export type InnerCompiler = (scope: Scope) => InnerBlock;

/** The steps of a block and of the `if`s in it, one function each. */
export function compileSteps(
  steps: readonly RewriteStep[],
  compileInner: InnerCompiler,
  variables: VariableCompiler,
): readonly Step[] {
  return steps.map((step) => {
    variables.pos = step.pos;
    return compileStep(step, compileInner, variables);
  });
}

function compileStep(step: RewriteStep, compileInner: InnerCompiler, variables: VariableCompiler): Step {
  switch (step.kind) {
    case 'return':
      return returnStep(compileReturn(step.return, variables));
    case 'rewrite':
      return rewriteStep(step.rewrite, variables);
    case 'set':
      return setStep(step.name, step.value, variables);
    case 'break':
      return breakStep;
    case 'if':
      return ifStep(step, compileInner, variables);
  }
}

function returnStep(handler: ReturnType<typeof compileReturn>): Step {
  return ({ ex }) => (handler(ex) === DONE ? ANSWERED : GO_ON);
}

function setStep(name: string, value: string, variables: VariableCompiler): Step {
  const assign = variables.assignment(name);
  const text = compileRunText(value, false, variables);
  return (run) => {
    assign(run.ex, text(run));
    return GO_ON;
  };
}

const breakStep: Step = (run) => {
  if (run.isUriNew) {
    run.ex.isPrefixValid = false;
    run.isUriNew = false;
  }
  return STOP;
};

function ifStep(step: RewriteStep & { kind: 'if' }, compileInner: InnerCompiler, variables: VariableCompiler): Step {
  const holds = compileCondition(step.condition, variables);
  const inner = compileInner(step.scope);
  const steps = compileSteps(inner.steps, compileInner, variables);
  const { location } = inner;
  return (run) => {
    if (!holds(run)) return GO_ON;
    if (location !== null) switchLocation(run.ex, location);
    return runSteps(steps, run);
  };
}

function rewriteStep(rule: RewriteRule, variables: VariableCompiler): Step {
  const { pattern, addsArgs, isBreak, isLast } = rule;
  const match = capturingMatch(pattern, variables, false);
  const apply = rule.redirectStatus > 0 ? redirect(rule, variables) : replaceUri(rule, variables);
  return (run) => {
    const { ex } = run;
    const before = ex.uri;
    if (!match.matches(before, ex)) {
      run.log(`"${pattern.source}" does not match "${before}"`);
      ex.captures = NO_CAPTURES;
      return GO_ON;
    }
    run.log(`"${pattern.source}" matches "${before}"`);
    ex.isInternal = true;
    ex.isUriChanged = true;
    ex.isUriRewritten = true;
    if (isBreak) ex.isPrefixValid = false;
    run.isUriNew = !isBreak;
    const result = apply(run, addsArgs ? ex.args : '');
    run.quotesCaptures = false;
    return result === GO_ON && isLast ? STOP : result;
  };
}

type Application = (run: Parameters<Step>[0], oldArgs: string) => ReturnType<Step>;

/** The request goes on with another path, and arguments in front of its own. */
function replaceUri({ replacement, addsArgs }: RewriteRule, variables: VariableCompiler): Application {
  const queryAt = replacement.indexOf('?');
  const path = compileRunText(queryAt < 0 ? replacement : replacement.slice(0, queryAt), false, variables);
  const query = queryAt < 0 ? null : compileRunText(replacement.slice(queryAt + 1), true, variables);
  return (run, oldArgs) => {
    const { ex } = run;
    run.quotesCaptures = false;
    const uri = path(run);
    if (query !== null || (!addsArgs && ex.args !== '')) ex.isArgsEmptied = true;
    if (query !== null) ex.args = oldArgs === '' ? query(run) : `${query(run)}&${oldArgs}`;
    else if (!addsArgs) ex.args = '';
    run.log(`rewritten data: "${uri}", args: "${ex.args}"`);
    ex.uri = uri;
    if (uri !== '') return GO_ON;
    ex.location.errorLog.write('error', ex, 'the rewritten URI has a zero length');
    respondStatus(ex, 500);
    return ANSWERED;
  };
}

function redirect({ replacement, redirectStatus }: RewriteRule, variables: VariableCompiler): Application {
  const target = compileRunText(replacement, false, variables);
  const hasQuery = replacement.includes('?');
  return (run, oldArgs) => {
    const { ex } = run;
    run.quotesCaptures = true;
    const url = unescapeRedirect(target(run));
    const whole = oldArgs === '' ? url : `${url}${hasQuery ? '&' : '?'}${oldArgs}`;
    run.log(`rewritten redirect: "${whole}"`);
    ex.response.add('Location', locationValue(ex, whole));
    respondStatus(ex, redirectStatus);
    return ANSWERED;
  };
}
