import type { PeerOutcome } from './outcome.ts';

/** Words of `proxy_next_upstream` and the bit of each in a rule's mask. */
export const RETRY_CONDITIONS = {
  error: 1,
  timeout: 2,
  invalid_header: 4,
  http_500: 8,
  http_502: 16,
  http_503: 32,
  http_504: 64,
  http_403: 128,
  http_404: 256,
  http_429: 512,
  non_idempotent: 1024,
  off: 2048,
} as const satisfies Record<string, number>;
export type RetryCondition = keyof typeof RETRY_CONDITIONS;

/** `proxy_next_upstream`, `_tries` and `_timeout`, compiled. */
export interface RetryRule {
  /** Bits of RETRY_CONDITIONS. nginx's default: error timeout. */
  readonly conditions: number;
  /** Most peers tried, the first included; 0 = all there are. */
  readonly maxTries: number;
  /** Time within which a next peer may be tried, counted from the first; 0 = no limit. */
  readonly timeoutMs: number;
}

/** Why the attempt ended: one of the conditions; 'status' = an answer whose status may be retried; 'aborted' = the client went away. */
export type AttemptEnd = 'error' | 'timeout' | 'invalid_header' | 'status' | 'aborted';

/** How an attempt ended. Reused from attempt to attempt by its owner. */
export interface AttemptReport {
  readonly end: AttemptEnd;
  /** Status of the answer, for 'status'; else 0. */
  readonly status: number;
  /** Any byte of the request reached the peer's socket. */
  readonly isRequestSent: boolean;
  /** POST, LOCK, PATCH: repeating it may do the thing twice. */
  readonly isNonIdempotent: boolean;
  /** The request's body cannot be sent again (unbuffered and begun). */
  readonly isBodyGone: boolean;
  /** The response's head (or a 101, or an upgrade) went to the client. */
  readonly isHeadSent: boolean;
  /** The connection came from the keepalive pool. */
  readonly isReused: boolean;
  /** Any byte of the response came. */
  readonly isResponseBegun: boolean;
  /** `session.tries` before this attempt's release: 1 = this was the last. */
  readonly tries: number;
  /** Since the first attempt began. */
  readonly elapsedMs: number;
}

/** 'give-up': answer with what there is. 'next-peer': release and pick. 'fresh-connection': same peer, same lease of the pick, a new connection. */
export type RetryNext = 'give-up' | 'next-peer' | 'fresh-connection';

/** What to do, and what the attempt says about its peer: the argument of `release`. */
export interface RetryVerdict {
  readonly next: RetryNext;
  readonly outcome: PeerOutcome;
}

const PASS_ON: RetryVerdict = { next: 'give-up', outcome: 'ok' };
const GIVE_UP_FAILED: RetryVerdict = { next: 'give-up', outcome: 'failed' };
const GIVE_UP_NEUTRAL: RetryVerdict = { next: 'give-up', outcome: 'neutral' };
const NEXT_AFTER_FAILURE: RetryVerdict = { next: 'next-peer', outcome: 'failed' };
/** 403 and 404 go on to the next peer and are never held against this one. */
const NEXT_AFTER_ANSWER: RetryVerdict = { next: 'next-peer', outcome: 'ok' };
const FRESH_CONNECTION: RetryVerdict = { next: 'fresh-connection', outcome: 'neutral' };

/** Bit of a status that `proxy_next_upstream` can name; 0 for all others. */
export function retryStatusBit(status: number): number {
  switch (status) {
    case 500:
      return RETRY_CONDITIONS.http_500;
    case 502:
      return RETRY_CONDITIONS.http_502;
    case 503:
      return RETRY_CONDITIONS.http_503;
    case 504:
      return RETRY_CONDITIONS.http_504;
    case 403:
      return RETRY_CONDITIONS.http_403;
    case 404:
      return RETRY_CONDITIONS.http_404;
    case 429:
      return RETRY_CONDITIONS.http_429;
    default:
      return 0;
  }
}

/** The one retry gate. Allocates nothing. */
export function decideRetry(rule: RetryRule, report: AttemptReport): RetryVerdict {
  // 1. nobody to answer to, or the answer is already under way
  if (report.end === 'aborted' || report.isHeadSent) return GIVE_UP_NEUTRAL;

  // 2. an answer: passed on as it is unless it may go to the next peer
  if (report.end === 'status') {
    const bit = retryStatusBit(report.status);
    if (bit === 0 || report.tries <= 1 || !mayRepeat(rule, report, bit)) return PASS_ON;
    return bit === RETRY_CONDITIONS.http_403 || bit === RETRY_CONDITIONS.http_404
      ? NEXT_AFTER_ANSWER
      : NEXT_AFTER_FAILURE;
  }

  // 3. a failure
  const isRepeatable = mayRepeat(rule, report, RETRY_CONDITIONS[report.end]);
  if (report.end === 'error' && report.isReused && !report.isResponseBegun) {
    // The peer had closed an idle connection: no failure of the peer, and not a try.
    return isRepeatable ? FRESH_CONNECTION : GIVE_UP_NEUTRAL;
  }
  return isRepeatable && report.tries > 1 ? NEXT_AFTER_FAILURE : GIVE_UP_FAILED;
}

/** The verdict when there could be a next peer and it may not be tried (`retry_budget`). */
export function withoutNextPeer(end: AttemptEnd): RetryVerdict {
  return end === 'status' ? PASS_ON : GIVE_UP_FAILED;
}

function mayRepeat(rule: RetryRule, report: AttemptReport, bit: number): boolean {
  const isRisky = report.isRequestSent && report.isNonIdempotent;
  const wanted = isRisky ? bit | RETRY_CONDITIONS.non_idempotent : bit;
  if ((rule.conditions & RETRY_CONDITIONS.off) !== 0 || (rule.conditions & wanted) !== wanted) return false;
  if (report.isRequestSent && report.isBodyGone) return false;
  return rule.timeoutMs === 0 || report.elapsedMs < rule.timeoutMs;
}
