import type { H1Server } from '../h1/h1-server.ts';
import type { HeldConnection, Http2Entry, TakenConnection } from '../h1/http2-entry.ts';
import { H2Connection } from './h2-connection.ts';

/** HTTP/2 from clients. */
export const http2Entry: Http2Entry = {
  begin(server: H1Server, taken: TakenConnection, bytes: Buffer): HeldConnection {
    return new H2Connection(server, taken, bytes);
  },
};
