import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseInteger } from '../../config/parse-value.ts';
import type { SourcePos } from '../../config/tree.ts';

/** One `error_page`. */
export interface ErrorPageConf {
  readonly statuses: readonly number[];
  /** `=code`: the status that goes out; 0 (`=` alone): whatever the page's own answer says; -1: the error's own. */
  readonly answerStatus: number;
  /** URI of this server, `@name`, or a URL for a redirect; with variables. */
  readonly target: string;
  readonly pos: SourcePos;
}

const CLIENT_CLOSED_REQUEST = 499;

/** `error_page code … [=[code]] uri`. */
export function parseErrorPage(use: DirectiveUse): ErrorPageConf {
  const { args, pos } = use;
  const target = args.at(-1) ?? '';
  const option = args.at(-2) ?? '';
  const hasOption = option.startsWith('=');
  if (hasOption && args.length === 2) use.fail(`invalid value "${option}"`);
  const answerStatus = hasOption ? parseAnswerStatus(option, use) : -1;
  const statuses = args.slice(0, hasOption ? -2 : -1).map((arg) => {
    const status = parseInteger(arg);
    if (status === null || status === CLIENT_CLOSED_REQUEST) return use.fail(`invalid value "${arg}"`);
    if (status < 300 || status > 599) return use.fail(`value "${arg}" must be between 300 and 599`);
    return status;
  });
  return { statuses, answerStatus, target, pos };
}

function parseAnswerStatus(option: string, use: DirectiveUse): number {
  if (option === '=') return 0;
  return parseInteger(option.slice(1)) ?? use.fail(`invalid value "${option}"`);
}
