import { respondStatus } from './error-response.ts';
import type { Exchange } from './exchange.ts';
import { DONE, NEXT, type PhaseResult } from './location.ts';

/** What an access check says: nothing, yes, or the status of its refusal. */
export const DECLINED = 0;
export const GRANTED = 1;
export type AccessVerdict = number;

/** Before all checks: a subrequest is made for a request that has been checked, or is the check. */
export function passSubrequest(ex: Exchange): PhaseResult {
  if (ex.subrequest !== null) ex.phase = ex.location.accessEnd;
  return NEXT;
}

/**
 * What becomes of the request after one access check, as `satisfy` has it. A check that answers later calls this and, when it gives NEXT,
 * `runPhases`.
 */
export function settleAccess(ex: Exchange, verdict: AccessVerdict): PhaseResult {
  const { satisfiesAny, accessEnd } = ex.location;
  if (verdict === DECLINED) return NEXT;
  if (!satisfiesAny) {
    if (verdict === GRANTED) return NEXT;
    respondStatus(ex, verdict);
    return DONE;
  }
  if (verdict === GRANTED) {
    ex.accessStatus = 0;
    ex.response.remove('www-authenticate');
    ex.phase = accessEnd;
    return NEXT;
  }
  if (verdict !== 401 && verdict !== 403) {
    respondStatus(ex, verdict);
    return DONE;
  }
  if (ex.accessStatus !== 401) ex.accessStatus = verdict;
  return NEXT;
}

/** Behind all checks of `satisfy any`: none has said yes, and at least one no. */
export function refuseUnsatisfied(ex: Exchange): PhaseResult {
  const status = ex.accessStatus;
  if (status === 0) return NEXT;
  ex.accessStatus = 0;
  if (status === 403) ex.location.errorLog.write('error', ex, 'access forbidden by rule');
  respondStatus(ex, status);
  return DONE;
}
