import { hostname } from 'node:os';
import type { DirectiveUse } from '../../config/directive-spec.ts';
import { lowerCase } from '../../http/host-name.ts';
import { compilePattern, type Pattern } from '../../http/pcre/compile-pattern.ts';

/** One argument of `server_name`. */
export interface ServerNameConf {
  /** Lower case; a regex with its `~`. What `$server_name` says when it is the first. */
  readonly text: string;
  readonly pattern: Pattern | null;
}

/** `server_name name …`. */
export function parseServerNames(use: DirectiveUse): readonly ServerNameConf[] {
  return use.args.map((name) => parseServerName(name, use));
}

function parseServerName(name: string, use: DirectiveUse): ServerNameConf {
  const isBadWildcard = name.startsWith('*') && (name.length < 3 || name[1] !== '.');
  if (isBadWildcard || name === '.') use.fail(`server name "${name}" is invalid`);
  if (name.includes('/')) use.warn(`server name "${name}" has suspicious symbols`);
  if (name.startsWith('~')) {
    const source = name.slice(1);
    if (source === '') use.fail(`empty regex in server name "${name}"`);
    // nginx: a capital letter anywhere makes the whole pattern ignore case.
    return { text: name, pattern: compilePattern(source, { caseInsensitive: /[A-Z]/.test(source) }) };
  }
  return { text: lowerCase(name === '$hostname' ? hostname() : name), pattern: null };
}
