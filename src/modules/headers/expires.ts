import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseTimeSec } from '../../config/parse-value.ts';
import type { SourcePos } from '../../config/tree.ts';
import { invalidValue } from '../../config/values.ts';
import { wallMs } from '../../core/clock.ts';
import { formatHttpTime } from '../../http/http-time.ts';
import type { HeaderFilter } from '../../http/location.ts';
import type { ResponseHead } from '../../http/response-head.ts';
import type { VariableCompiler } from '../../http/variable.ts';
import { hidePassed, isGoodStatus } from './add-header-filter.ts';

/** What `expires` says: never anything, one of two fixed answers, or a time that counts from something. */
export type ExpiresRule =
  | { readonly kind: 'off' | 'epoch' | 'max' }
  | { readonly kind: 'access' | 'modified' | 'daily'; readonly seconds: number };

export interface ExpiresConf {
  /** Time with variables; null: `rule` holds. */
  readonly text: string | null;
  readonly rule: ExpiresRule;
  readonly isFromModified: boolean;
  readonly pos: SourcePos;
}

const DAY_SEC = 86_400;

/** `expires [modified] time`. */
export function parseExpires(use: DirectiveUse): ExpiresConf {
  const { args, pos } = use;
  const isFromModified = args.length === 2;
  if (isFromModified && args[0] !== 'modified') invalidValue(use);
  const text = args.at(-1) ?? '';
  if (text.includes('$')) return { text, rule: { kind: 'off' }, isFromModified, pos };
  const rule = readRule(text, isFromModified);
  if (typeof rule === 'string') return use.fail(`"${use.name}" directive ${rule}`);
  return { text: null, rule, isFromModified, pos };
}

/** The rule, or nginx's words for what is wrong. */
function readRule(text: string, isFromModified: boolean): ExpiresRule | string {
  if (!isFromModified && (text === 'epoch' || text === 'max' || text === 'off')) return { kind: text };
  const isDaily = text.startsWith('@');
  if (isDaily && isFromModified) return 'daily time cannot be used with "modified" parameter';
  const seconds = parseTimeSec(text.replace(/^[@+-]/, ''));
  if (seconds === null) return 'invalid value';
  if (isDaily && seconds > DAY_SEC) return 'daily time value must be less than 24 hours';
  if (isDaily) return { kind: 'daily', seconds };
  return { kind: isFromModified ? 'modified' : 'access', seconds: text.startsWith('-') ? -seconds : seconds };
}

/** Sets `Expires` and `Cache-Control` of good answers. */
export function expiresFilter(conf: ExpiresConf, variables: VariableCompiler): HeaderFilter {
  variables.pos = conf.pos;
  const template = conf.text === null ? null : variables.template(conf.text);
  return (ex) => {
    const { response } = ex;
    if (!isGoodStatus(response.status)) return;
    const rule = template === null ? conf.rule : readRule(template.evaluate(ex), conf.isFromModified);
    if (typeof rule !== 'string' && rule.kind !== 'off') put(response, rule);
  };
}

function put(response: ResponseHead, rule: Exclude<ExpiresRule, { kind: 'off' }>): void {
  const { expires, cacheControl } = fieldsOf(response, rule);
  for (const name of ['expires', 'cache-control']) {
    hidePassed(response, name);
    response.remove(name);
  }
  response.add('Expires', expires);
  response.add('Cache-Control', cacheControl);
}

function fieldsOf(response: ResponseHead, rule: ExpiresRule): { expires: string; cacheControl: string } {
  if (!('seconds' in rule)) {
    return rule.kind === 'max'
      ? { expires: 'Thu, 31 Dec 2037 23:55:55 GMT', cacheControl: 'max-age=315360000' }
      : { expires: 'Thu, 01 Jan 1970 00:00:01 GMT', cacheControl: 'no-cache' };
  }
  const { kind, seconds } = rule;
  const nowSec = Math.floor(wallMs() / 1000);
  if (seconds === 0 && kind !== 'daily') return { expires: formatHttpTime(nowSec), cacheControl: 'max-age=0' };
  const atSec = expiryOf(kind, seconds, nowSec, response.lastModifiedSec);
  const isOver = seconds < 0 || atSec < nowSec;
  return { expires: formatHttpTime(atSec), cacheControl: isOver ? 'no-cache' : `max-age=${atSec - nowSec}` };
}

function expiryOf(kind: 'access' | 'modified' | 'daily', seconds: number, nowSec: number, modifiedSec: number): number {
  if (kind === 'daily') return nextTimeOfDay(seconds, nowSec);
  return kind === 'modified' && modifiedSec >= 0 ? modifiedSec + seconds : nowSec + seconds;
}

/** When it is next so many seconds after midnight, in local time. */
function nextTimeOfDay(seconds: number, nowSec: number): number {
  const date = new Date(nowSec * 1000);
  date.setHours(0, 0, seconds, 0);
  if (date.getTime() / 1000 <= nowSec) date.setDate(date.getDate() + 1);
  return date.getTime() / 1000;
}
