import type { BodySink, ClientConnection, ClientStream, TunnelEnd } from '../../src/http/client-stream.ts';
import { Exchange } from '../../src/http/exchange.ts';
import type { HeaderBlock } from '../../src/http/header-block.ts';
import { knownHeaderIdOf } from '../../src/http/known-header.ts';
import type { ServerGroup } from '../../src/http/location.ts';
import { beginExchange, logExchange } from '../../src/http/phases.ts';
import type { HttpVersion } from '../../src/http/request-head.ts';

/** What was answered, taken when the head was sent. */
export interface SentHead {
  readonly status: number;
  readonly contentType: string;
  readonly contentLength: number;
  /** `Name: value` of the fields that were added here. */
  readonly fields: readonly string[];
  readonly keepAlive: boolean;
}

/** A client that only remembers. `onEnd` of the exchange (log phase) runs when the response is complete, as in the real stream. */
export class FakeClientStream implements ClientStream {
  head: SentHead | null = null;
  body = '';
  /** `Name: value`. */
  trailers: string[] = [];
  isEnded = false;
  isAborted = false;
  isDiscarding = false;
  bodySink: BodySink | null = null;
  readonly pendingBytes = 0;
  #exchange: Exchange | null = null;

  serve(ex: Exchange): void {
    this.#exchange = ex;
  }

  get isHeadSent(): boolean {
    return this.head !== null;
  }

  sendInformational(): void {
    // nobody looks at interim responses here
  }

  sendHead(ex: Exchange): void {
    if (this.head !== null) throw new Error('a second head');
    const { status, contentType, contentLength, added } = ex.response;
    const fields: string[] = [];
    for (let i = 0; i < added.length; i += 2) fields.push(`${added[i]}: ${added[i + 1]}`);
    this.head = { status, contentType, contentLength, fields, keepAlive: ex.keepAlive };
  }

  sendBody(chunk: Uint8Array): boolean {
    if (this.head === null || this.isEnded) throw new Error('a body out of turn');
    this.body += Buffer.from(chunk).toString('latin1');
    return true;
  }

  flush(): boolean {
    return true;
  }

  endBody(trailers: HeaderBlock | null = null): void {
    if (this.head === null || this.isEnded) throw new Error('an end out of turn');
    for (let i = 0; i < (trailers?.count ?? 0); i++) this.trailers.push(`${trailers?.name(i)}: ${trailers?.value(i)}`);
    this.#end();
  }

  abort(): void {
    this.isAborted = true;
    this.#end();
  }

  readBody(sink: BodySink): void {
    this.bodySink = sink;
  }

  pauseBody(): void {
    // a fake body comes when the test says so
  }

  resumeBody(): void {
    // likewise
  }

  discardBody(): boolean {
    this.isDiscarding = true;
    return true;
  }

  openTunnel(): TunnelEnd {
    throw new Error('no tunnels here');
  }

  #end(): void {
    if (this.isEnded) throw new Error('a second end');
    this.isEnded = true;
    if (this.#exchange !== null) logExchange(this.#exchange);
  }
}

export interface FakeRequest {
  readonly method?: string;
  readonly target?: string;
  readonly version?: HttpVersion;
  /** Null: no Host field. Default `localhost`. */
  readonly host?: string | null;
  /** `Name: value`. */
  readonly fields?: readonly string[];
  readonly contentLength?: number;
  readonly keepAlive?: boolean;
  readonly connection?: Partial<ClientConnection>;
}

const CONNECTION: ClientConnection = {
  id: 1,
  remoteAddress: '127.0.0.1',
  remotePort: 40_000,
  localAddress: '127.0.0.1',
  localPort: 8080,
  unixPath: '',
  isTls: false,
  tls: null,
  proxyProtocol: null,
  acceptedAtMs: 0,
  requests: 1,
};

/** An exchange whose request is as given, not begun yet. */
export function fakeExchange(request: FakeRequest, group: ServerGroup): { ex: Exchange; stream: FakeClientStream } {
  const { method = 'GET', target = '/', version = 11, host = 'localhost' } = request;
  const stream = new FakeClientStream();
  const connection: ClientConnection = { ...CONNECTION, ...request.connection };
  const ex = new Exchange(connection, stream, group.defaultServer);
  stream.serve(ex);
  const fields = [...(host === null ? [] : [`Host: ${host}`]), ...(request.fields ?? [])];
  const line = `${method} ${target} HTTP/${version / 10}`;
  const bytes = Buffer.from(`${line}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`, 'latin1');
  const head = ex.request;
  head.headers.reset(bytes);
  let at = line.length + 2;
  for (const field of fields) {
    const colon = field.indexOf(':');
    const name = field.slice(0, colon);
    head.headers.add(at, at + colon, at + colon + 2, at + field.length, knownHeaderIdOf(name));
    at += field.length + 2;
  }
  head.method = method;
  head.target = target;
  head.version = version;
  head.rawHost = host;
  head.lineEnd = line.length;
  head.headBytes = bytes.length;
  head.keepAlive = request.keepAlive ?? version === 11;
  if (request.contentLength !== undefined) {
    head.framing = 'length';
    head.contentLength = request.contentLength;
  }
  return { ex, stream };
}

/** Runs a request through a group of servers; what its handlers answer at once is in the stream. */
export function ask(group: ServerGroup, request: FakeRequest): FakeClientStream {
  const { ex, stream } = fakeExchange(request, group);
  beginExchange(ex, group);
  return stream;
}
