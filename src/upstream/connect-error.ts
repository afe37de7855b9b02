import { ProxyError } from '../core/errors.ts';
import { strerror } from '../core/strerror.ts';
import type { UpstreamConnection } from '../http/upstream-connection.ts';
import type { ConnectOptions } from '../net/connector.ts';

export interface AcquireWaiter {
  /** Connected; the TLS handshake begins. */
  onHandshake(): void;
  onConnected(connection: UpstreamConnection): void;
  /** connect-failed or connect-timeout, or `internal` when there is no socket here or none for `proxy_bind`; message in nginx's words. */
  onConnectError(error: ProxyError): void;
}

/** Not the peer's fault, and no other peer would do better. */
const OUT_OF_RESOURCES = ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'];

/** Why connect(2), or what comes before it, failed. */
export function asProxyError(error: NodeJS.ErrnoException, { localAddress }: ConnectOptions): ProxyError {
  const words = strerror(error.code ?? error.message);
  if (error.syscall === 'bind') return ownError(`bind(${localAddress}) failed (${words})`, error);
  if (OUT_OF_RESOURCES.includes(error.code ?? '')) return ownError(`socket() failed (${words})`, error);
  return connectError(`connect() failed (${words})`, 'connect-failed', 502, error);
}

function ownError(text: string, cause: Error): ProxyError {
  return new ProxyError('internal', text, { side: 'proxy', status: 500, cause });
}

export function connectError(text: string, code: ProxyError['code'], status: number, cause?: unknown): ProxyError {
  return new ProxyError(code, text, { side: 'upstream', status, retry: 'yes', cause });
}
