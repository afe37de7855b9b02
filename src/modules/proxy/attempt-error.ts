import type { ErrorCode, ProxyError } from '../../core/errors.ts';
import type { AttemptEnd } from '../../policy/retry.ts';

/** What was being done when something went wrong: nginx ends its log lines with it. */
export const STAGES = {
  connecting: ' while connecting to upstream',
  sending: ' while sending request to upstream',
  'reading-head': ' while reading response header from upstream',
  'reading-body': ' while reading upstream',
  tunnel: ' while proxying upgraded connection',
} as const;
export type Stage = keyof typeof STAGES;

const TIMEOUTS: readonly ErrorCode[] = ['connect-timeout', 'send-timeout', 'read-timeout'];

/** Which of proxy_next_upstream's failures it is. */
export function attemptEnd(error: ProxyError): AttemptEnd {
  if (TIMEOUTS.includes(error.code)) return 'timeout';
  return error.code === 'invalid-response' || error.code === 'response-head-too-large' ? 'invalid_header' : 'error';
}

/** Status of an attempt that brought no answer: what `$upstream_status` shows, and the client gets from the last one. */
export function attemptStatus(error: ProxyError): number {
  if (TIMEOUTS.includes(error.code)) return 504;
  return error.side === 'proxy' && error.status !== 0 ? error.status : 502;
}
