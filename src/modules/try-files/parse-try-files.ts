import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseInteger } from '../../config/parse-value.ts';
import type { SourcePos } from '../../config/tree.ts';

/** `try_files`. */
export interface TryFilesConf {
  readonly files: readonly TriedFile[];
  /** What comes when none is there: a status, or a URI or `@name` with variables. */
  readonly last: number | string;
  readonly pos: SourcePos;
}

export interface TriedFile {
  /** With variables; without the slash at the end that says that it is a directory. */
  readonly name: string;
  readonly isDirectory: boolean;
}

const MAX_STATUS = 999;

/** `try_files file … uri` or `try_files file … =code`. */
export function parseTryFiles(use: DirectiveUse): TryFilesConf {
  const files = use.args.slice(0, -1).map((arg) => {
    const isDirectory = arg.endsWith('/');
    return { name: isDirectory ? arg.slice(0, -1) : arg, isDirectory };
  });
  return { files, last: parseLast(use.args.at(-1) ?? '', use), pos: use.pos };
}

function parseLast(text: string, use: DirectiveUse): number | string {
  if (!text.startsWith('=')) return text;
  const status = parseInteger(text.slice(1));
  if (status === null || status > MAX_STATUS) return use.fail(`invalid code "${text}"`);
  return status;
}
