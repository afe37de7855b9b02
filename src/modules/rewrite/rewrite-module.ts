import { HTTP_SCOPES, LOCATION, LOCATION_IF, SERVER, SERVER_IF } from '../../config/contexts.ts';
import { type DirectiveSpec, directive } from '../../config/directive-spec.ts';
import type { Scope } from '../../config/scope.ts';
import { variableName } from '../../config/variable-name.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { DONE, NEXT, type PhaseHandler } from '../../http/location.ts';
import { chooseLocationAgain } from '../../http/phases.ts';
import type { VariableCompiler } from '../../http/variable.ts';
import { compileSteps, type InnerBlock } from './compile-steps.ts';
import { parseCondition } from './parse-condition.ts';
import { parseRewrite } from './parse-rewrite.ts';
import { parseReturn } from './return.ts';
import type { RewriteConf } from './rewrite-conf.ts';
import { ANSWERED, RewriteRun, runSteps, type Step } from './rewrite-run.ts';

const ANYWHERE = SERVER | SERVER_IF | LOCATION | LOCATION_IF;
const row = directive<RewriteConf>;

/** Rows that add a step to the block's program. */
const step = (
  row: Pick<DirectiveSpec<RewriteConf>, 'name' | 'contexts' | 'args' | 'parse' | 'syntax' | 'doc'> & {
    readonly block?: number;
  },
): DirectiveSpec<RewriteConf> => directive<RewriteConf>({ ...row, field: 'steps', repeat: 'append', inherit: 'none' });

const ifRow = (contexts: number, block: number): DirectiveSpec<RewriteConf> =>
  step({
    name: 'if',
    contexts,
    block,
    args: [1, Number.POSITIVE_INFINITY],
    parse: (use) => ({
      kind: 'if',
      condition: parseCondition(use),
      scope: use.opened ?? use.scope,
      pos: use.pos,
    }),
    syntax: '(condition)',
    doc:
      block === LOCATION_IF
        ? 'Runs its rewrite directives, and what else it says then holds for the request, if the condition holds: `$name`, `=`, `!=`, `~`, `~*`, `!~`, `!~*`, `-f`, `-d`, `-e`, `-x`, `!-f` ….'
        : 'Runs its rewrite directives if the condition holds.',
  });

/** nginx's ngx_http_rewrite_module. */
export const rewriteModule: HttpModule<RewriteConf> = {
  name: 'rewrite',
  defaults: () => ({ steps: [], logs: false, warnsOfUninitialized: true }),
  rows: [
    step({
      name: 'rewrite',
      contexts: ANYWHERE,
      args: [2, 3],
      parse: (use) => ({ kind: 'rewrite', rewrite: parseRewrite(use), pos: use.pos }),
      syntax: 'regex replacement [last | break | redirect | permanent]',
      doc: 'Replaces the path, and adds arguments in front of those that came, if the regex matches; or answers with a redirect.',
    }),
    step({
      name: 'return',
      contexts: ANYWHERE,
      args: [1, 2],
      parse: (use) => ({ kind: 'return', return: parseReturn(use), pos: use.pos }),
      syntax: 'code [text] | code URL | URL',
      doc: 'Answers at once: with a text, a redirect (301, 302, 303, 307, 308; 302 where only a URL is given), an error page, or not at all (444 closes the connection).',
    }),
    step({
      name: 'break',
      contexts: ANYWHERE,
      args: 0,
      parse: (use) => ({ kind: 'break', pos: use.pos }),
      doc: 'Ends the rewrite directives of this block and, in an `if`, of the one around it.',
    }),
    ifRow(SERVER, SERVER_IF),
    ifRow(LOCATION, LOCATION_IF),
    step({
      name: 'set',
      contexts: ANYWHERE,
      args: 2,
      parse: (use) => {
        const [name = '', value = ''] = use.args;
        return { kind: 'set', name: variableName(use, name), value, pos: use.pos };
      },
      syntax: '$variable value',
      doc: 'Gives a variable a value. Of nginx’s own, `$args` and `$limit_rate` can be set.',
    }),
    row({
      name: 'rewrite_log',
      contexts: HTTP_SCOPES | SERVER_IF | LOCATION_IF,
      args: 'flag',
      field: 'logs',
      syntax: 'on | off',
      defaultText: 'off',
      doc: 'Whether the error log tells, at level notice, what rewrite directives did.',
    }),
    row({
      name: 'uninitialized_variable_warn',
      contexts: HTTP_SCOPES | SERVER_IF | LOCATION_IF,
      args: 'flag',
      field: 'warnsOfUninitialized',
      syntax: 'on | off',
      defaultText: 'on',
      doc: 'Whether the use of a variable that no `set` has reached is logged.',
    }),
  ],
  compileHttp: (_conf, scope, variables) => declareVariables(scope, variables),
  compileLocation: (conf, build) => {
    build.location.warnsOfUninitialized = conf.warnsOfUninitialized;
    // The steps of an `if` belong to the block around it.
    if (conf.steps.length === 0 || build.scope.context === LOCATION_IF) return;
    const isServer = build.scope.context === SERVER;
    const compileInner = (scope: Scope): InnerBlock => ({
      steps: scope.conf(rewriteModule).steps,
      location: isServer ? null : build.compileInner(scope),
    });
    build.addPhase('rewrite', rewriteHandler(compileSteps(conf.steps, compileInner, build.variables), conf.logs));
  },
};

/** Every `set`, before anything reads it: what else has the name of a family (`set $http_x`) would be read as that. */
function declareVariables(scope: Scope, variables: VariableCompiler): void {
  for (const step of scope.conf(rewriteModule).steps) {
    if (step.kind !== 'set') continue;
    variables.pos = step.pos;
    variables.assignment(step.name);
  }
  for (const child of scope.children) declareVariables(child, variables);
}

function rewriteHandler(steps: readonly Step[], logs: boolean): PhaseHandler {
  return (ex) => {
    const { location } = ex;
    const run = new RewriteRun(ex, logs);
    if (runSteps(steps, run) === ANSWERED) return DONE;
    // A server's directives run before a location is chosen anyway.
    if (run.isUriNew && !ex.isInServerPhases) {
      chooseLocationAgain(ex);
      return DONE;
    }
    // The location that an `if` put in its place begins behind the rewrite phase.
    if (ex.location !== location) ex.phase = 0;
    return NEXT;
  };
}
