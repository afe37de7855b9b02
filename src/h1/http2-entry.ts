import type { ServerGroup } from '../http/location.ts';
import type { ProxyProtocol } from '../http/proxy-protocol.ts';
import type { ClientTls } from '../http/tls.ts';
import type { Wire } from '../net/wire.ts';
import type { H1Server } from './h1-server.ts';

/** A client's connection as the worker keeps it, whatever it speaks. */
export interface HeldConnection {
  readonly requests: number;
  /** Since when nothing of a request has come; Infinity when something has, or when the wait has no end. */
  readonly idleSinceAtMs: number;
  /** Drain, or room is needed: closes it when no request is under way. Draining, one that is busy ends behind its requests. */
  closeIfIdle(): void;
  destroyNow(): void;
}

/** What is known of a connection when it turns out to be one of HTTP/2. */
export interface TakenConnection {
  readonly id: number;
  readonly acceptedAtMs: number;
  readonly unixPath: string;
  readonly tls: ClientTls | null;
  readonly proxyProtocol: ProxyProtocol | null;
  readonly wire: Wire;
  /** Asked at each request, so that a reload takes hold at the next one. */
  readonly group: () => ServerGroup;
}

/** Serves HTTP/2 connections (h2/). */
export interface Http2Entry {
  /** `bytes` are all that were read of it. It calls `server.forget` when it is gone. */
  begin(server: H1Server, taken: TakenConnection, bytes: Buffer): HeldConnection;
}
