import type { Socket } from 'node:net';
import { type ConnectionOptions, connect, type SecureContext, type TLSSocket } from 'node:tls';
import { strerror } from '../core/strerror.ts';
import { intermediatesOf } from './certificate-chain.ts';
import { opensslText } from './openssl-text.ts';
import { verifyErrorOf } from './tls-verify-error.ts';
import { TOO_DEEP, verifyFailureOf } from './verify-failure.ts';

/** How a connection to a peer is encrypted. */
export interface PeerTls {
  readonly context: SecureContext;
  /** Says what the context was made of: connections and sessions are shared where key, names and address are the same. */
  readonly key: string;
  /** Sent by SNI; '' = none. */
  readonly serverName: string;
  /** What the peer's certificate is to be; null: it is not verified. */
  readonly verify: { readonly name: string; readonly depth: number } | null;
  readonly reusesSessions: boolean;
  /** Protocol asked for by ALPN (`h2`); '' = none is. A peer that chooses none, or another one, is told from `socket.alpnProtocol`. */
  readonly alpn: string;
}

/** What two connections have in common that may stand for one another. */
export function identityOf(tls: PeerTls | null): string {
  if (tls === null) return '';
  const { key, serverName, verify, alpn } = tls;
  return `${key}\0${alpn}\0${serverName}\0${verify === null ? '' : `${verify.depth} ${verify.name}`}`;
}

/** Most sessions kept, of all peers. */
const MAX_SESSIONS = 1000;
const sessions = new Map<string, Buffer>();

/**
 * Makes the handshake on a socket that is connected; `done` gets the socket that is encrypted or, once, why there is none: nginx's text.
 * `where`: the peer's address. Sessions are kept once their certificate was verified.
 */
export function encrypt(raw: Socket, tls: PeerTls, where: string, done: (result: TLSSocket | Error) => void): void {
  const place = `${identityOf(tls)}\0${where}`;
  const known = tls.reusesSessions ? sessions.get(place) : undefined;
  const options: ConnectionOptions = {
    socket: raw,
    secureContext: tls.context,
    // Verified below: the text of what is wrong is wanted.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(tls.serverName === '' ? {} : { servername: tls.serverName }),
    ...(known === undefined ? {} : { session: known }),
    ...(tls.alpn === '' ? {} : { ALPNProtocols: [tls.alpn] }),
  };
  const socket = connect(options);
  let isOver = false;
  let isTrusted = false;
  let latest: Buffer | null = null;
  const settle = (result: TLSSocket | Error): void => {
    if (isOver) return;
    isOver = true;
    socket.removeListener('error', onError);
    socket.removeListener('end', onEnd);
    socket.removeListener('close', onEnd);
    if (result instanceof Error) {
      socket.on('error', () => undefined); // it is over for us; what comes now concerns nobody
      socket.destroy();
    }
    done(result);
  };
  const onEnd = (): void => settle(new Error('peer closed connection in SSL handshake'));
  const onError = (error: Error): void => settle(new Error(failureText(error)));
  socket.on('error', onError);
  socket.on('end', onEnd);
  socket.on('close', onEnd);
  if (tls.reusesSessions) {
    socket.on('session', (session) => {
      latest = session;
      if (isTrusted) keep(place, session);
    });
  }
  socket.once('secureConnect', () => {
    const why = tls.verify === null ? null : verify(socket, tls.verify);
    if (why !== null) return settle(new Error(why));
    isTrusted = true;
    if (latest !== null) keep(place, latest);
    settle(socket);
  });
}

function verify(socket: TLSSocket, { name, depth }: NonNullable<PeerTls['verify']>): string | null {
  const error = verifyErrorOf(socket);
  // A session is only kept, and only for the same name and trust, once all of this was found to be well.
  if (error === null && socket.isSessionReused()) return null;
  const isDeep = error === null && intermediatesOf(socket) > depth;
  const failure = error === null ? (isDeep ? TOO_DEEP : null) : verifyFailureOf(error);
  if (failure !== null) return `upstream SSL certificate verify error: (${failure.code}:${failure.reason})`;
  const certificate = socket.getPeerX509Certificate();
  if (certificate?.checkHost(name) === undefined) return `upstream SSL certificate does not match "${name}"`;
  return null;
}

function keep(place: string, session: Buffer): void {
  sessions.delete(place);
  sessions.set(place, session);
  const oldest = sessions.keys().next().value;
  if (sessions.size > MAX_SESSIONS && oldest !== undefined) sessions.delete(oldest);
}

function failureText(error: Error): string {
  const text = opensslText(error);
  if (text !== '') return `SSL_do_handshake() failed${text}`;
  const { code } = error as NodeJS.ErrnoException;
  return `peer closed connection in SSL handshake (${strerror(code ?? error.message)})`;
}
