import { EventEmitter } from 'node:events';
import type { Server } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { SessionCache } from '../../http/tls.ts';
import type { ClientHello } from '../client-hello.ts';

/** RFC 8446: an identity of this length may be the id of a session that the server keeps; a ticket is longer. */
const ID_BYTES = 32;

/** The session that a client wants to go on with, by its id in hexadecimal; '' = none. */
export function resumedId({ sessionId, identity, ticket, offersTls13 }: ClientHello, hasTls13: boolean): string {
  // OpenSSL looks at the first identity only once, and at the old field not at all.
  if (offersTls13 && hasTls13) return identity.length === ID_BYTES ? identity.toString('hex') : '';
  return ticket.length > 0 ? '' : sessionId;
}

/**
 * What a server-side socket is given as its server, so that it tells of its sessions; Node asks before the handshake ends. Whatever there is
 * to know of the client is known then. `mayKeep` is asked for each.
 */
export function keepSessions(sessions: SessionCache, mayKeep: () => boolean): Server {
  const server = new EventEmitter();
  server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
    if (id.length > 0 && mayKeep()) sessions.keep(id.toString('hex'), session);
    done();
  });
  return server as unknown as Server;
}

interface Loading {
  loadSession(session: Buffer): void;
}

/**
 * Gives OpenSSL the session that it is about to ask for. `resumeSession`, Node's documented way, looks at the id of the old field, which is
 * noise in TLS 1.3; `ssl` is what it calls in the end.
 */
export function loadSession(socket: TLSSocket, session: Buffer): void {
  (socket as unknown as { readonly ssl: Loading }).ssl.loadSession(session);
}
