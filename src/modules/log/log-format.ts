import { ConfigError } from '../../config/diagnostic.ts';
import type { SourcePos } from '../../config/tree.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { VariableCompiler, VariableGetter } from '../../http/variable.ts';
import { nameEnd } from '../../http/variables/template.ts';
import { ESCAPERS, type Escaper, LOG_ESCAPES, type LogEscape } from './log-escape.ts';

export type LogPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string };

/** One `log_format`. */
export interface LogFormat {
  readonly name: string;
  readonly escape: LogEscape;
  readonly parts: readonly LogPart[];
  /** Where it is defined; null for nginx's own. */
  readonly pos: SourcePos | null;
}

/** Builds the line of an exchange, without its line feed. */
export type LineBuilder = (ex: Exchange) => string;

/** The format of an `access_log` that names none. */
export const COMBINED: LogFormat = {
  name: 'combined',
  escape: 'default',
  parts: splitLogText(
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"',
  ),
  pos: null,
};

/** Values that never hold anything to escape and are always there: numbers, times, addresses. */
const PLAIN_VARIABLES: ReadonlySet<string> = new Set([
  'body_bytes_sent',
  'bytes_sent',
  'connection',
  'connection_requests',
  'connection_time',
  'msec',
  'pid',
  'pipe',
  'remote_addr',
  'request_id',
  'request_length',
  'request_time',
  'scheme',
  'status',
  'time_iso8601',
  'time_local',
]);

/** `log_format name [escape=default|json|none] string …`: the arguments behind the name. The strings follow one another without a blank. */
export function parseLogFormat(name: string, words: readonly string[], pos: SourcePos): LogFormat {
  const escaping = words[0]?.startsWith('escape=') ? words[0].slice('escape='.length) : null;
  const chosen = LOG_ESCAPES.find((known) => known === (escaping ?? 'default'));
  if (chosen === undefined) throw new ConfigError(`unknown log format escaping "${escaping}"`);
  const texts = escaping === null ? words : words.slice(1);
  return { name, escape: chosen, parts: texts.flatMap(splitLogText), pos };
}

/** Not the grammar of other texts: here `$1` is a variable's name like any other, and the errors have their own words. */
function splitLogText(text: string): LogPart[] {
  const parts: LogPart[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] !== '$') {
      const next = text.indexOf('$', at);
      const end = next < 0 ? text.length : next;
      parts.push({ kind: 'text', text: text.slice(at, end) });
      at = end;
      continue;
    }
    const isBraced = text[at + 1] === '{';
    const start = at + (isBraced ? 2 : 1);
    if (start >= text.length) throw new ConfigError(`invalid parameter "${text.slice(at)}"`);
    const end = nameEnd(text, start);
    const name = text.slice(start, end);
    if (isBraced && text[end] !== '}') throw new ConfigError(`the closing bracket in "${name}" variable is missing`);
    if (name === '') throw new ConfigError(`invalid parameter "${text.slice(at)}"`);
    parts.push({ kind: 'variable', name });
    at = isBraced ? end + 1 : end;
  }
  return parts;
}

/** One function for the whole line: literal text between values, each value escaped as the format says. */
export function compileLogFormat(format: LogFormat, variables: VariableCompiler): LineBuilder {
  variables.pos = format.pos;
  const values: VariableGetter[] = [];
  // texts[i] stands before values[i]; the last one ends the line.
  const texts: string[] = [''];
  for (const part of format.parts) {
    if (part.kind === 'text') {
      texts[texts.length - 1] += part.text;
    } else {
      values.push(escaped(part.name, ESCAPERS[format.escape], variables));
      texts.push('');
    }
  }
  const end = texts.pop() ?? '';
  return (ex) => {
    let line = '';
    for (let i = 0; i < values.length; i++) line += (texts[i] as string) + (values[i] as VariableGetter)(ex);
    return line + end;
  };
}

function escaped(name: string, escaper: Escaper, variables: VariableCompiler): VariableGetter {
  const value = variables.variable(name);
  return PLAIN_VARIABLES.has(name) ? value : (ex) => escaper(value(ex));
}
