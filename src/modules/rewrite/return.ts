import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseInteger } from '../../config/parse-value.ts';
import type { SourcePos } from '../../config/tree.ts';
import { respondStatus } from '../../http/error-response.ts';
import { DONE, type PhaseHandler } from '../../http/location.ts';
import { locationValue } from '../../http/redirect.ts';
import { dropBody, sendText } from '../../http/send-text.ts';
import type { VariableCompiler } from '../../http/variable.ts';

/** One `return`. */
export interface ReturnConf {
  readonly status: number;
  /** Text or URL, with variables; null when there is none. */
  readonly text: string | null;
  readonly pos: SourcePos;
}

const REDIRECTS = [301, 302, 303, 307, 308];
const MAX_STATUS = 999;

/** `return code [text]` or `return URL`. */
export function parseReturn(use: DirectiveUse): ReturnConf {
  const [first = '', second] = use.args;
  const status = parseInteger(first);
  if (status !== null && status <= MAX_STATUS) return { status, text: second ?? null, pos: use.pos };
  const isUrl = /^(http:\/\/|https:\/\/|\$scheme)/.test(first);
  if (second !== undefined || status !== null || !isUrl) use.fail(`invalid return code "${first}"`);
  return { status: 302, text: first, pos: use.pos };
}

/** The handler: always answers. */
export function compileReturn({ status, text, pos }: ReturnConf, variables: VariableCompiler): PhaseHandler {
  variables.pos = pos;
  if (REDIRECTS.includes(status)) {
    const target = variables.template(text ?? '');
    return (ex) => {
      if (!dropBody(ex)) return DONE;
      ex.response.status = status; // `$status` in the target is this one already
      ex.response.add('Location', locationValue(ex, target.evaluate(ex)));
      respondStatus(ex, status);
      return DONE;
    };
  }
  // A code of an error without a text is answered with its page.
  if (status >= 400 && (text === null || text === '')) {
    return (ex) => {
      respondStatus(ex, status);
      return DONE;
    };
  }
  const body = variables.template(text ?? '');
  return (ex) => {
    ex.response.status = status;
    sendText(ex, status, null, body.evaluate(ex));
    return DONE;
  };
}
