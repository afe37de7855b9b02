import { escapeArgs } from '../../http/escape-uri.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { VariableCompiler } from '../../http/variable.ts';
import { splitTemplate } from '../../http/variables/template.ts';

/** What a step says: the next one, no more of them, or that the request was answered. */
export const GO_ON = 0;
export const STOP = 1;
export const ANSWERED = 2;
export type StepResult = typeof GO_ON | typeof STOP | typeof ANSWERED;

/** A compiled rewrite directive. */
export type Step = (run: RewriteRun) => StepResult;

/** One run through the rewrite directives of a block. */
export class RewriteRun {
  readonly ex: Exchange;
  /** `rewrite_log` of the block. */
  readonly logs: boolean;
  /** The URI was replaced: a location has to be chosen again. */
  isUriNew = false;
  /**
   * Captures are escaped as part of a query where the client's path was: as nginx, from the beginning until the first `rewrite` has
   * matched, and within redirects.
   */
  quotesCaptures = true;

  constructor(ex: Exchange, logs: boolean) {
    this.ex = ex;
    this.logs = logs;
  }

  log(text: string): void {
    if (this.logs) this.ex.location.errorLog.write('notice', this.ex, text);
  }
}

export function runSteps(steps: readonly Step[], run: RewriteRun): StepResult {
  for (let i = 0; i < steps.length; i++) {
    const result = (steps[i] as Step)(run);
    if (result !== GO_ON) return result;
  }
  return GO_ON;
}

/** A text with variables, evaluated within a run. */
export type RunText = (run: RewriteRun) => string;

/** `isQuery`: captures are escaped as part of a query where the client's path was. */
export function compileRunText(text: string, isQuery: boolean, variables: VariableCompiler): RunText {
  const parts = splitTemplate(text);
  if (!parts.some((part) => part.kind === 'capture')) {
    const template = variables.template(text);
    return (run) => template.evaluate(run.ex);
  }
  const pieces: readonly RunText[] = parts.map((part) => {
    if (part.kind === 'text') return () => part.text;
    if (part.kind === 'capture') return (run) => capture(run, part.index, isQuery);
    const getter = variables.variable(part.name);
    return (run) => getter(run.ex) ?? '';
  });
  return (run) => {
    let result = '';
    for (const piece of pieces) result += piece(run);
    return result;
  };
}

function capture({ ex, quotesCaptures }: RewriteRun, index: number, isQuery: boolean): string {
  const text = (ex.captures ?? ex.serverCaptures)?.[index] ?? '';
  return (isQuery || quotesCaptures) && wasPathQuoted(ex) ? escapeArgs(text) : text;
}

/** The path was sent with `%XX` or with a plus. */
function wasPathQuoted(ex: Exchange): boolean {
  return /^[^?#]*[%+]/.test(ex.request.target);
}
