import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { ProbeTarget } from './probe.ts';

export interface ProbeTlsOptions {
  /** For SNI, and the name that the certificate must be for. */
  readonly serverName: string;
  /** Roots to trust, in PEM. Null: those that Node brings. */
  readonly ca: string | null;
}

export interface ProbeSocketOptions {
  /** Null: plain. The certificate is not judged here: see `certificate.ts`. */
  readonly tls: ProbeTlsOptions | null;
  /** Say `PROXY UNKNOWN` first, for a port that wants the PROXY protocol. */
  readonly hasProxyProtocol: boolean;
}

/** Connects. When `signal` is aborted the socket is destroyed, connected or not. */
export async function openProbeSocket(
  target: ProbeTarget,
  { tls, hasProxyProtocol }: ProbeSocketOptions,
  signal: AbortSignal,
): Promise<Socket | TLSSocket> {
  signal.throwIfAborted();
  const socket = target.kind === 'unix' ? connectTcp(target.path) : connectTcp(target.port, target.host);
  const destroy = (): void => {
    socket.destroy(new Error('timed out'));
  };
  signal.addEventListener('abort', destroy, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', destroy));
  await until(socket, 'connect');
  if (hasProxyProtocol) socket.write('PROXY UNKNOWN\r\n');
  if (tls === null) return socket;
  const secure = connectTls({
    socket,
    host: tls.serverName,
    // An address is no name to send (RFC 6066 section 3).
    ...(isIP(tls.serverName) === 0 ? { servername: tls.serverName } : {}),
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    // Who probes wants to tell what is wrong with it.
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  });
  await until(secure, 'secureConnect');
  return secure;
}

/** Rejects with the socket's error, or when it closes without one. */
function until(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    // It stays: an error that comes later has been told by whoever reads, and without a listener would end the program.
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.once(event, () => resolve());
  });
}
