import type { Exchange, UpstreamAttempt } from '../exchange.ts';
import { HEADER_ID } from '../known-header.ts';
import type { VariableDef, VariableGetter } from '../variable.ts';
import { setCookieValue } from './cookie-value.ts';
import { fieldReader } from './field-values.ts';
import { secondsText } from './number-format.ts';

/** nginx's list over all attempts: `a, b`, and ` : ` where an internal redirect began a new group. Null: no attempt was made. */
function listOf(element: (attempt: UpstreamAttempt) => string): VariableGetter {
  return (ex: Exchange) => {
    if (ex.attemptCount === 0) return null;
    let text = '';
    for (let i = 0; i < ex.attemptCount; i++) {
      const attempt = ex.attempts[i] as UpstreamAttempt;
      if (i > 0) text += attempt.startsGroup ? ' : ' : ', ';
      text += element(attempt);
    }
    return text;
  };
}

const orDash = (ms: number): string => (ms < 0 ? '-' : secondsText(ms));

const cookieOf = (lowerName: string): VariableGetter => {
  return ({ upstreamHead }) => {
    if (upstreamHead === null) return null;
    const headers = upstreamHead.headers;
    for (let i = 0; i < headers.count; i++) {
      if (headers.ids[i] !== HEADER_ID['set-cookie']) continue;
      const value = setCookieValue(headers.value(i), lowerName);
      if (value !== null) return value;
    }
    return null;
  };
};

const fieldOf = (variableName: string): VariableGetter => {
  const read = fieldReader(variableName);
  return (ex) => (ex.upstreamHead === null ? null : read(ex.upstreamHead.headers));
};

/** `$upstream_trailer_name`, and `$sent_trailer_name`: what the peer sent goes out as it came. */
const trailerOf = (variableName: string): VariableGetter => {
  const read = fieldReader(variableName);
  return ({ trailers }) => (trailers === null ? null : read(trailers));
};

export const UPSTREAM_VARIABLES: readonly VariableDef[] = [
  { name: 'upstream_addr', compile: () => listOf((attempt) => attempt.address) },
  { name: 'upstream_status', compile: () => listOf((attempt) => (attempt.status > 0 ? String(attempt.status) : '-')) },
  { name: 'upstream_response_time', compile: () => listOf((attempt) => orDash(attempt.responseMs)) },
  { name: 'upstream_connect_time', compile: () => listOf((attempt) => orDash(attempt.connectMs)) },
  { name: 'upstream_header_time', compile: () => listOf((attempt) => orDash(attempt.headerMs)) },
  { name: 'upstream_response_length', compile: () => listOf((attempt) => String(attempt.responseLength)) },
  { name: 'upstream_bytes_received', compile: () => listOf((attempt) => String(attempt.bytesReceived)) },
  { name: 'upstream_bytes_sent', compile: () => listOf((attempt) => String(attempt.bytesSent)) },
  { name: 'upstream_http_', isPrefix: true, compile: fieldOf },
  { name: 'upstream_cookie_', isPrefix: true, compile: cookieOf },
  { name: 'upstream_trailer_', isPrefix: true, compile: trailerOf },
  { name: 'sent_trailer_', isPrefix: true, compile: trailerOf },
];
