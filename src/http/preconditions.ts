import type { Exchange } from './exchange.ts';
import { parseHttpTime } from './http-time.ts';
import { HEADER_ID, type KnownHeader } from './known-header.ts';

/** What the client's conditions (RFC 9110 section 13) make of a response made here. */
export const CONDITION_RESULTS = ['send', 'not-modified', 'failed'] as const;
export type ConditionResult = (typeof CONDITION_RESULTS)[number];

/** Evaluates If-Match and kin for the response that `ex.response` is about to be: only a 200 has conditions. */
export function checkConditions(ex: Exchange): ConditionResult {
  const { response } = ex;
  if (response.status !== 200 || (ex.errorStatus !== 0 && ex.errorStatus !== 200)) return 'send';
  const modifiedSec = response.lastModifiedSec;

  // 1. What must hold for the request to be answered at all.
  const unmodifiedSince = field(ex, 'if-unmodified-since');
  if (unmodifiedSince !== null && (modifiedSec < 0 || parseHttpTime(unmodifiedSince) < modifiedSec)) return 'failed';
  const match = field(ex, 'if-match');
  if (match !== null && !matchesTag(match, response.get('etag'), false)) return 'failed';

  // 2. Whether the client has it already: both must say so where both are there.
  const modifiedSince = field(ex, 'if-modified-since');
  const noneMatch = field(ex, 'if-none-match');
  if (modifiedSince === null && noneMatch === null) return 'send';
  if (modifiedSince !== null && isModified(ex, parseHttpTime(modifiedSince))) return 'send';
  if (noneMatch !== null && !matchesTag(noneMatch, response.get('etag'), true)) return 'send';
  return 'not-modified';
}

/** Whether `If-Range`, if there is one, lets a range be answered. */
export function isRangeFresh(ex: Exchange): boolean {
  const ifRange = field(ex, 'if-range');
  if (ifRange === null) return true;
  if (ifRange.length >= 2 && ifRange.endsWith('"')) return ifRange === ex.response.get('etag');
  const { lastModifiedSec } = ex.response;
  return lastModifiedSec >= 0 && parseHttpTime(ifRange) === lastModifiedSec;
}

function isModified(ex: Exchange, sinceSec: number): boolean {
  const { lastModifiedSec } = ex.response;
  const rule = ex.location.core.ifModifiedSince;
  if (lastModifiedSec < 0 || rule === 'off') return true;
  if (sinceSec === lastModifiedSec) return false;
  return rule === 'exact' || sinceSec < lastModifiedSec;
}

/** Whether a list of entity tags, or `*`, has this one. `isWeak`: `W/` makes no difference. */
function matchesTag(list: string, tag: string | null, isWeak: boolean): boolean {
  if (list === '*') return true;
  if (tag === null) return false;
  const own = isWeak ? withoutWeak(tag) : tag;
  return list.split(',').some((one) => {
    const given = one.replace(/^[ \t]+|[ \t]+$/g, '');
    return (isWeak ? withoutWeak(given) : given) === own;
  });
}

function withoutWeak(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}

function field({ request: { headers } }: Exchange, name: KnownHeader): string | null {
  const at = headers.find(HEADER_ID[name]);
  return at < 0 ? null : headers.value(at);
}
