import type { ErrorCode, ProxyError } from '../../core/errors.ts';
import type { LogLevel } from '../../http/location.ts';
import type { AttemptEnd } from '../../policy/retry.ts';

/** What was being done when something went wrong: nginx ends its log lines with it. */
export const STAGES = {
  body: '',
  resolving: '',
  connecting: ' while connecting to upstream',
  handshaking: ' while SSL handshaking to upstream',
  sending: ' while sending request to upstream',
  'reading-head': ' while reading response header from upstream',
  'reading-body': ' while reading upstream',
  tunnel: ' while proxying upgraded connection',
  over: '',
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

/** connect(2) refuses these at once; then nginx says where to, and finds all but an unreachable network `crit`. */
const REFUSED_AT_ONCE = ['ENOENT', 'EACCES', 'EPERM', 'EADDRNOTAVAIL', 'EINVAL', 'ENETUNREACH'];

/** nginx's line for a failed attempt. `address`: the peer's. */
export function attemptErrorLine(
  error: ProxyError,
  stage: Stage,
  isBuffered: boolean,
  address: string,
): { level: LogLevel; text: string } {
  if (error.code === 'connect-failed') return connectLine(error, address);
  if (error.code === 'internal') {
    const level = error.message.startsWith('bind(') ? 'crit' : 'alert';
    return { level, text: error.message + STAGES[stage] };
  }
  if (stage === 'tunnel') return { level: 'info', text: error.message + STAGES.tunnel };
  let text = error.message;
  let doing: string = STAGES[stage];
  if (stage === 'reading-body') {
    if (isBuffered) text = text.replace(/^recv\(\)/, 'readv()');
    else if (error.code === 'premature-close') doing = ' while sending to client';
  }
  return { level: 'error', text: text + doing };
}

function connectLine(error: ProxyError, address: string): { level: LogLevel; text: string } {
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? '';
  const isAtOnce = REFUSED_AT_ONCE.includes(code) || address.startsWith('unix:');
  const text = isAtOnce ? error.message.replace('connect()', `connect() to ${address}`) : error.message;
  const isUsual = code === 'ECONNREFUSED' || code === 'ENETUNREACH' || !isAtOnce;
  return { level: isUsual ? 'error' : 'crit', text: text + STAGES.connecting };
}
