import { constants } from 'node:http2';
import { ProxyError } from '../core/errors.ts';
import { strerror } from '../core/strerror.ts';

/** Names of the error codes of RFC 9113 section 7. */
const NAMES = new Map<number, string>(
  Object.entries(constants)
    .filter(([name]) => name.startsWith('NGHTTP2_') && isErrorCode(name))
    .map(([name, code]) => [code as number, name.replace('NGHTTP2_', '')]),
);

function isErrorCode(name: string): boolean {
  return /^NGHTTP2_(NO_ERROR|\w+_ERROR|SETTINGS_TIMEOUT|STREAM_CLOSED|REFUSED_STREAM|CANCEL|ENHANCE_YOUR_CALM|INADEQUATE_SECURITY|HTTP_1_1_REQUIRED)$/.test(
    name,
  );
}

const upstream = { side: 'upstream', status: 502, retry: 'yes' } as const;

/** The peer ended a stream with RST_STREAM, or nghttp2 did because of what the peer sent on it. */
export function streamReset(code: number): ProxyError {
  if (code === constants.NGHTTP2_PROTOCOL_ERROR) {
    return new ProxyError(
      'invalid-response',
      `upstream sent invalid response or reset the stream with ${nameOf(code)}`,
      upstream,
    );
  }
  return new ProxyError('read-failed', `upstream rejected request with ${nameOf(code)}`, upstream);
}

/** The peer gave the session up. */
export function goneAway(code: number): ProxyError {
  return new ProxyError('read-failed', `upstream sent goaway with ${nameOf(code)}`, upstream);
}

/** The session broke: what Node says of it. Null: the connection ended without a word. */
export function sessionFailure(error: Error | null): ProxyError {
  if (error === null) return new ProxyError('premature-close', 'upstream prematurely closed connection', upstream);
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  if (code.startsWith('ERR_HTTP2')) {
    return new ProxyError('invalid-response', `upstream sent invalid HTTP/2: ${error.message}`, {
      ...upstream,
      cause: error,
    });
  }
  const isWrite = syscall === 'write';
  const text = `${isWrite ? 'send' : 'recv'}() failed (${strerror(code || error.message)})`;
  return new ProxyError(isWrite ? 'send-failed' : 'read-failed', text, { ...upstream, cause: error });
}

function nameOf(code: number): string {
  const name = NAMES.get(code);
  return name === undefined ? `error ${code}` : `error ${code} (${name})`;
}
