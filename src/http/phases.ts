import { dropRequestBody, respondRedirect, respondStatus } from './error-response.ts';
import type { Exchange } from './exchange.ts';
import { validateHost } from './host-name.ts';
import { HEADER_ID } from './known-header.ts';
import { type Location, NEXT, type ServerGroup, type VirtualServer } from './location.ts';
import { parseTarget } from './normalize-uri.ts';
import { locationValue, redirectToPath } from './redirect.ts';
import { refuseOnTlsPort } from './tls.ts';
import { browserOf } from './user-agent.ts';

/** nginx's limit of internal redirects of one request. */
export const MAX_REDIRECTS = 10;

/** A head was parsed into `ex.request`: chooses server and location and runs the handlers. They answer, now or later. */
export function beginExchange(ex: Exchange, group: ServerGroup): void {
  if (!admit(ex, group)) return;
  ex.keepAlive = ex.request.keepAlive;
  if (ex.server.serverHandlers.length === 0) {
    enterLocation(ex, ex.server);
    return;
  }
  // As in nginx no other limit holds for what a server answers before a location is found.
  if (ex.location.core.keepaliveTimeoutMs === 0) ex.keepAlive = false;
  ex.isInServerPhases = true;
  ex.phase = 0;
  runPhases(ex);
}

/** Target, host, server, TLS and method. False: refused and answered. */
function admit(ex: Exchange, group: ServerGroup): boolean {
  const { request } = ex;
  const first = group.defaultServer;
  ex.server = first;
  ex.location = first.defaultLocation;
  // An answer that is given before the phases begin closes the connection.
  ex.keepAlive = false;

  // 1. The target.
  const target = parseTarget(request.target, first.settings.mergeSlashes);
  if (target === null) {
    // nginx refuses the line before it reads on: nobody knows of fields then.
    request.headers.count = 0;
    // HTTP/2 has its line among the fields, and it is none before it is good.
    if (request.version === 20) request.lineEnd = request.lineStart;
    const part = request.version === 20 ? 'headers' : 'line';
    return refuse(ex, 400, `client sent invalid request while reading client request ${part}`);
  }
  ex.uri = target.uri;
  ex.args = target.args;
  ex.isUriChanged = target.isQuoted;

  // 2. The host, and with it the server. HTTP/1.1 wants a Host field beside an absolute target too.
  if (request.version >= 11 && request.headers.find(HEADER_ID.host) < 0) {
    ex.server = group.find('', ex);
    ex.location = ex.server.defaultLocation;
    return refuse(ex, 400, 'client sent HTTP/1.1 request without "Host" header while reading client request headers');
  }
  if (request.rawHost !== null) {
    const isAbsolute = isAbsoluteForm(ex);
    const host = validateHost(request.rawHost);
    if (host === null && isAbsolute) {
      request.headers.count = 0;
      return refuse(ex, 400, 'client sent invalid host in request line while reading client request line');
    }
    if (host === null || (isAbsolute && !hasValidHostField(ex))) {
      return refuse(ex, 400, 'client sent invalid host header while reading client request headers');
    }
    ex.host = host;
  }
  ex.server = group.find(ex.host, ex);
  ex.location = ex.server.defaultLocation;

  // 3. What a TLS port asks for.
  const { tls } = ex.connection;
  const refusal = tls === null ? null : refuseOnTlsPort(ex, tls);
  if (refusal !== null) {
    if (refusal.status === 421) {
      ex.server = first;
      ex.location = first.defaultLocation;
    }
    return refuse(ex, refusal.status, `${refusal.text} while reading client request headers`);
  }

  // 4. The method.
  const { method } = request;
  if (method === 'TRACE' || method === 'CONNECT') {
    return refuse(ex, 405, `client sent ${method} method while reading client request headers`);
  }
  return true;
}

/**
 * A head whose request line was good but whose fields were refused: what was known by then holds for the answer and the log, path, host
 * and virtual server among it.
 */
export function attributeRefused(ex: Exchange, group: ServerGroup): void {
  const { request } = ex;
  const target = parseTarget(request.target, group.defaultServer.settings.mergeSlashes);
  if (target === null) return;
  ex.uri = target.uri;
  ex.args = target.args;
  const hostAt = request.headers.find(HEADER_ID.host);
  const named = request.rawHost ?? (hostAt < 0 ? null : request.headers.value(hostAt));
  const host = named === null ? null : validateHost(named);
  if (host === null) return;
  ex.host = host;
  ex.server = group.find(host, ex);
  ex.location = ex.server.defaultLocation;
}

/** `GET http://host/path`: `rawHost` is not the Host field then. */
function isAbsoluteForm({ request }: Exchange): boolean {
  const { headers, lineStart, method } = request;
  let at = lineStart + method.length;
  while (headers.bytes[at] === 0x20) at++;
  return headers.bytes[at] !== 0x2f;
}

/** A Host field beside an absolute target says nothing, but must be a host. */
function hasValidHostField({ request: { headers } }: Exchange): boolean {
  const at = headers.find(HEADER_ID.host);
  return at < 0 || validateHost(headers.value(at)) !== null;
}

/** Runs handlers from `ex.phase` on until one answers or waits. A handler that returned PENDING calls this when it is ready. */
export function runPhases(ex: Exchange): void {
  if (ex.isInServerPhases) {
    const server = ex.server;
    while (ex.phase < server.serverHandlers.length) {
      if (server.serverHandlers[ex.phase++]?.(ex) !== NEXT) return;
    }
    ex.isInServerPhases = false;
    enterLocation(ex, server);
    return;
  }
  // A handler may put another location in the place of this one (`if`).
  while (ex.phase < ex.location.handlers.length) {
    if (ex.location.handlers[ex.phase++]?.(ex) !== NEXT) return;
  }
  respondStatus(ex, 404);
}

/** Runs a subrequest, whose exchange is made ready: the server's rewrite phase, then a location, `internal` ones among them. */
export function runSubrequest(ex: Exchange): void {
  ex.isInternal = true;
  ex.isInServerPhases = true;
  ex.phase = ex.server.firstRewriteHandler;
  runPhases(ex);
}

/** Goes on as if the client had asked for `uri` (normalised, unescaped): the server's rewrite phase, a new location. */
export function internalRedirect(ex: Exchange, uri: string, args: string): void {
  if (!countRedirect(ex, `while internally redirecting to "${uri}"`)) return;
  ex.uri = uri;
  ex.args = args;
  ex.isUriChanged = true;
  ex.isUriRewritten = true;
  ex.isPrefixValid = true;
  ex.addsUriToAlias = false;
  ex.location = ex.server.defaultLocation;
  ex.isInServerPhases = true;
  ex.phase = ex.server.firstRewriteHandler;
  runPhases(ex);
}

/** The rewrite directives of a location have changed `ex.uri`: chooses a location anew and goes on there. */
export function chooseLocationAgain(ex: Exchange): void {
  if (!countRedirect(ex, `while processing "${ex.uri}"`)) return;
  ex.location = ex.server.defaultLocation;
  enterLocation(ex, ex.server);
}

/** What `if` says holds from now on; the phase that runs is left to the caller. */
export function switchLocation(ex: Exchange, location: Location): void {
  ex.location = location;
  limitKeepAlive(ex);
}

/** Goes on in the location `@name` (`name` with its `@`); the uri stays. */
export function namedLocation(ex: Exchange, name: string): void {
  if (!countRedirect(ex, `while redirect to named location "${name}"`)) return;
  const location = ex.server.namedLocations.get(name);
  if (location === undefined) {
    ex.location.errorLog.write('error', ex, `could not find named location "${name}"`);
    respondStatus(ex, 500);
    return;
  }
  ex.isInServerPhases = false;
  ex.location = limited(ex, location);
  limitKeepAlive(ex);
  ex.phase = 0;
  runPhases(ex);
}

/** The exchange is over: runs the log handlers, once. */
export function logExchange(ex: Exchange): void {
  if (ex.isLogged) return;
  ex.isLogged = true;
  const handlers = ex.location.logHandlers;
  for (let i = 0; i < handlers.length; i++) handlers[i]?.(ex);
}

function enterLocation(ex: Exchange, server: VirtualServer): void {
  const location = server.findLocation(ex);
  if (location !== null) {
    if (location.isInternal && !ex.isInternal) {
      ex.location = location;
      limitKeepAlive(ex);
      respondStatus(ex, 404);
      return;
    }
    ex.location = limited(ex, location);
  }
  // What a server said about it counts where no location says otherwise. An internal redirect takes nothing back.
  if (ex.redirects === 0) ex.keepAlive = ex.request.keepAlive;
  limitKeepAlive(ex);
  const { core } = ex.location;
  const length = ex.request.contentLength;
  if (core.clientMaxBodyBytes > 0 && length > core.clientMaxBodyBytes) {
    ex.location.errorLog.write('error', ex, `client intended to send too large body: ${length} bytes`);
    dropRequestBody(ex);
    respondStatus(ex, 413);
    return;
  }
  if (location?.autoRedirect === true && ex.uri.length === location.name.length - 1) {
    respondRedirect(ex, 301, locationValue(ex, redirectToPath(location.name, ex.args)));
    return;
  }
  ex.phase = 0;
  runPhases(ex);
}

/** The location, or what its `limit_except` says for this method. */
function limited(ex: Exchange, location: Location): Location {
  const { limitExcept } = location;
  return limitExcept === null || limitExcept.methods.has(ex.request.method) ? location : limitExcept.location;
}

/** What the location says about how long the connection may live on. */
function limitKeepAlive(ex: Exchange): void {
  if (!ex.keepAlive) return;
  const core: Location['core'] = ex.location.core;
  const connection = ex.connection;
  if (
    core.keepaliveTimeoutMs === 0 ||
    connection.requests >= core.keepaliveRequests ||
    ex.startedAtMs - connection.acceptedAtMs > core.keepaliveTimeMs
  ) {
    ex.keepAlive = false;
    return;
  }
  const disabled = core.keepaliveDisable;
  if (disabled.length === 0 || (ex.request.method !== 'POST' && !disabled.includes('safari'))) return;
  const browser = browserOf(ex.request.headers);
  if (browser === 'safari' ? disabled.includes('safari') : browser === 'msie6' && disabled.includes('msie6')) {
    if (browser === 'safari' || ex.request.method === 'POST') ex.keepAlive = false;
  }
}

/** False: too many, answered with 500. */
function countRedirect(ex: Exchange, doing: string): boolean {
  ex.isInternal = true;
  ex.content = null;
  if (++ex.redirects <= MAX_REDIRECTS) return true;
  ex.location.errorLog.write('error', ex, `rewrite or internal redirection cycle ${doing}`);
  respondStatus(ex, 500);
  return false;
}

function refuse(ex: Exchange, status: number, text: string): false {
  ex.location.errorLog.write('info', ex, text);
  respondStatus(ex, status);
  return false;
}
