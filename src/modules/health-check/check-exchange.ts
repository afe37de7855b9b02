import type { ClientConnection, ClientStream } from '../../http/client-stream.ts';
import { Exchange } from '../../http/exchange.ts';
import { knownHeaderIdOf } from '../../http/known-header.ts';
import type { Location, VirtualServer } from '../../http/location.ts';
import { UpstreamResponseHead } from '../../http/upstream-response-head.ts';
import type { CheckedResponse } from '../../probe/response-match.ts';
import { CheckDestination } from '../proxy/check-destination.ts';
import type { Destination } from '../proxy/pass-to.ts';

/** What the variables of a check's request are made of: there is no client, so most of them are empty, as in nginx Plus. */
export interface CheckRequest {
  readonly location: Location;
  readonly serverName: string;
  readonly destination: Destination;
  readonly uri: string;
}

const NO_CONNECTION: ClientConnection = {
  id: 0,
  remoteAddress: '',
  remotePort: 0,
  localAddress: '',
  localPort: 0,
  unixPath: '',
  isTls: false,
  tls: null,
  proxyProtocol: null,
  acceptedAtMs: 0,
  requests: 0,
};

/** An exchange that nobody serves: only variables read it. `response`: what came back, for `$upstream_status`, `$upstream_http_…`. */
export function checkExchange(request: CheckRequest, response: CheckedResponse | null): Exchange {
  const { location, uri } = request;
  const server: VirtualServer = {
    name: request.serverName,
    settings: NO_SETTINGS,
    defaultLocation: location,
    serverHandlers: [],
    firstRewriteHandler: 0,
    findLocation: () => location,
    namedLocations: new Map(),
    tls: null,
  };
  const ex = new Exchange(NO_CONNECTION, NO_STREAM, server);
  const query = uri.indexOf('?');
  ex.request.method = 'GET';
  ex.request.target = uri;
  ex.uri = query < 0 ? uri : uri.slice(0, query);
  ex.args = query < 0 ? '' : uri.slice(query + 1);
  ex.recyclable = new CheckDestination(request.destination);
  if (response !== null) {
    ex.nextAttempt().status = response.status;
    ex.upstreamHead = headOf(response);
    ex.response.status = response.status;
  }
  return ex;
}

function headOf({ status, headers }: CheckedResponse): UpstreamResponseHead {
  const head = new UpstreamResponseHead();
  head.status = status;
  head.headers.reset(Buffer.from(headers.flat().join(''), 'latin1'));
  let at = 0;
  for (const [name, value] of headers) {
    const valueAt = at + name.length;
    head.headers.add(at, valueAt, valueAt, valueAt + value.length, knownHeaderIdOf(name));
    at = valueAt + value.length;
  }
  return head;
}

const NO_SETTINGS: VirtualServer['settings'] = {
  clientHeaderTimeoutMs: 0,
  clientHeaderBufferBytes: 0,
  largeHeaderBuffers: { count: 0, bytes: 0 },
  ignoreInvalidHeaders: false,
  underscoresInHeaders: false,
  mergeSlashes: false,
};

const nobody = (): never => {
  throw new Error('a health check has no client');
};

const NO_STREAM: ClientStream = {
  isHeadSent: false,
  pendingBytes: 0,
  sendInformational: nobody,
  sendHead: nobody,
  sendBody: nobody,
  flush: nobody,
  endBody: nobody,
  abort: nobody,
  readBody: nobody,
  pauseBody: nobody,
  resumeBody: nobody,
  discardBody: nobody,
  openTunnel: nobody,
};
