import type { Exchange } from '../../http/exchange.ts';
import type { HeaderBlock } from '../../http/header-block.ts';
import { HEADER_ID, KNOWN_HEADERS, knownHeaderIdOf } from '../../http/known-header.ts';
import { locationValue } from '../../http/redirect.ts';
import type { UpstreamResponseHead } from '../../http/upstream-response-head.ts';
import type { VariableCompiler } from '../../http/variable.ts';
import { CookieRewriter } from './cookies.ts';
import type { IgnorableHeader, ProxyConf } from './proxy-conf.ts';
import { compileRedirects, rewriteRefresh } from './redirect.ts';
import { type Rewriter, rewriteFirst } from './rewrite-rule.ts';

/** nginx's own list: hidden unless `proxy_pass_header` names them. */
const HIDDEN_BY_DEFAULT = [
  'Date',
  'Server',
  'X-Pad',
  'X-Accel-Expires',
  'X-Accel-Redirect',
  'X-Accel-Limit-Rate',
  'X-Accel-Buffering',
  'X-Accel-Charset',
];
/** Of the peer's connection, not of the response. */
const NEVER_PASSED = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding'] as const;
/** What is kept of a response whose X-Accel-Redirect is followed. */
const KEPT_IN_REDIRECT = ['set-cookie', 'content-disposition', 'cache-control', 'expires', 'accept-ranges'];

const PASS = 0;
const HIDE = 1;
const CONTENT_TYPE = 2;
const LOCATION = 3;
const REFRESH = 4;
const SET_COOKIE = 5;
const DATE = 6;
const SERVER = 7;

/** Decimal digits and nothing else. */
const DECIMAL = /^[0-9]+$/;

/** What a response says to the proxy itself. */
export interface AccelFields {
  /** X-Accel-Redirect; null = none. */
  redirect: string | null;
  /** X-Accel-Buffering; null = nothing said. */
  buffering: boolean | null;
  /** X-Accel-Limit-Rate in bytes per second; -1 = nothing said. */
  limitRateBytes: number;
}

/** Which fields of a peer's response reach the client, and how; compiled per location. */
export class ResponseFields {
  /** What to do with a field, by known id. */
  readonly #actions = new Uint8Array(KNOWN_HEADERS.length);
  readonly #hiddenNames: readonly string[];
  readonly #ignored: readonly IgnorableHeader[];
  readonly #redirects: readonly Rewriter[];
  readonly #cookies: CookieRewriter | null;

  constructor(conf: ProxyConf, locationName: string, variables: VariableCompiler) {
    const actions = this.#actions;
    this.#ignored = conf.ignoreHeaders;
    variables.pos = conf.positions['proxy_redirect'] ?? variables.pos;
    this.#redirects = compileRedirects(conf, locationName, variables);
    this.#cookies = CookieRewriter.compile(conf, variables);
    actions[HEADER_ID['content-type']] = CONTENT_TYPE;
    actions[HEADER_ID.date] = DATE;
    actions[HEADER_ID.server] = SERVER;
    if (this.#redirects.length > 0) {
      actions[HEADER_ID.location] = LOCATION;
      actions[HEADER_ID.refresh] = REFRESH;
    }
    if (this.#cookies !== null) actions[HEADER_ID['set-cookie']] = SET_COOKIE;
    for (const name of NEVER_PASSED) actions[HEADER_ID[name]] = HIDE;
    const passed = conf.passHeaders.map((name) => name.toLowerCase());
    const hidden = HIDDEN_BY_DEFAULT.filter((name) => !passed.includes(name.toLowerCase()));
    const others: string[] = [];
    for (const name of [...hidden, ...conf.hideHeaders]) {
      const id = knownHeaderIdOf(name);
      if (id === 0) others.push(name.toLowerCase());
      else actions[id] = HIDE;
    }
    this.#hiddenNames = others;
  }

  /** Fills `ex.response` from the peer's head; marks in the head what is not passed. */
  apply(ex: Exchange, head: UpstreamResponseHead): void {
    const { response } = ex;
    const { headers } = head;
    const { ids, hidden } = headers;
    const others = this.#hiddenNames;
    response.status = head.status;
    response.statusLine = head.statusLine;
    response.contentLength = lengthToAnnounce(ex, head);
    response.passed = headers;
    // What proxy_pass_header lets through is the peer's or none, never ours.
    if (this.#actions[HEADER_ID.date] === DATE) response.date = null;
    if (this.#actions[HEADER_ID.server] === SERVER) response.server = null;
    for (let i = 0; i < headers.count; i++) {
      const id = ids[i] as number;
      if (id === 0) {
        for (let n = 0; n < others.length; n++) if (headers.isNamed(i, others[n] as string)) hidden[i] = 1;
        continue;
      }
      const action = this.#actions[id] as number;
      if (action === PASS) continue;
      if (action === CONTENT_TYPE) response.contentTypeAt = i;
      else if (action === HIDE) hidden[i] = 1;
      else this.#edit(ex, head, i, action);
    }
  }

  /** Marks the trailers that are not passed: those that would not be as fields of the head. */
  hide(trailers: HeaderBlock): void {
    for (let i = 0; i < trailers.count; i++) {
      const id = trailers.id(i);
      const isHidden =
        id === 0 ? this.#hiddenNames.some((name) => trailers.isNamed(i, name)) : this.#actions[id] === HIDE;
      if (isHidden) trailers.hidden[i] = 1;
    }
  }

  /** What the response says to us. `into` is overwritten. */
  readAccel(head: UpstreamResponseHead, into: AccelFields): void {
    into.redirect = null;
    into.buffering = null;
    into.limitRateBytes = -1;
    const { headers } = head;
    for (let i = 0; i < headers.count; i++) {
      const id = headers.id(i);
      if (id < FIRST_ACCEL || id > LAST_ACCEL) continue;
      if (id === HEADER_ID['x-accel-redirect'] && !this.#ignored.includes('X-Accel-Redirect')) {
        into.redirect ??= headers.value(i);
      } else if (id === HEADER_ID['x-accel-buffering'] && !this.#ignored.includes('X-Accel-Buffering')) {
        const word = headers.value(i).toLowerCase();
        if (word === 'yes' || word === 'no') into.buffering = word === 'yes';
      } else if (id === HEADER_ID['x-accel-limit-rate'] && !this.#ignored.includes('X-Accel-Limit-Rate')) {
        if (DECIMAL.test(headers.value(i))) into.limitRateBytes = Number(headers.value(i));
      }
    }
  }

  /** Before an internal redirect: the few fields that the final response inherits. */
  keepForRedirect(ex: Exchange, head: UpstreamResponseHead): void {
    const cookies = this.#cookies;
    const { headers } = head;
    for (let i = 0; i < headers.count; i++) {
      const name = headers.name(i);
      const lower = name.toLowerCase();
      if (lower === 'content-type') ex.response.contentType = headers.value(i);
      else if (lower === 'set-cookie' && cookies !== null) ex.response.add(name, cookies.rewrite(ex, headers.value(i)));
      else if (KEPT_IN_REDIRECT.includes(lower)) ex.response.add(name, headers.value(i));
    }
  }

  #edit(ex: Exchange, head: UpstreamResponseHead, index: number, action: number): void {
    const { response } = ex;
    const { headers } = head;
    const value = headers.value(index);
    let edited: string | null = null;
    switch (action) {
      case DATE:
        response.date = value;
        return;
      case SERVER:
        response.server = value;
        return;
      case LOCATION:
        edited = rewriteFirst(this.#redirects, ex, value);
        if (edited !== null) edited = locationValue(ex, edited);
        break;
      case REFRESH:
        edited = rewriteRefresh(this.#redirects, ex, value);
        break;
      case SET_COOKIE:
        edited = (this.#cookies as CookieRewriter).rewrite(ex, value);
        if (edited === value) edited = null;
        break;
    }
    if (edited === null) return;
    headers.hidden[index] = 1;
    response.add(headers.name(index), edited);
  }
}

const ACCEL_IDS = [HEADER_ID['x-accel-redirect'], HEADER_ID['x-accel-buffering'], HEADER_ID['x-accel-limit-rate']];
const FIRST_ACCEL = Math.min(...ACCEL_IDS);
const LAST_ACCEL = Math.max(...ACCEL_IDS);

/** -1 = not known. A response without a body to HEAD, or a 304, still says how long the body would be. */
function lengthToAnnounce(ex: Exchange, head: UpstreamResponseHead): number {
  if (head.contentLength >= 0) return head.contentLength;
  if (ex.request.method !== 'HEAD' && head.status !== 304) return -1;
  const at = head.headers.find(HEADER_ID['content-length']);
  const text = at < 0 ? '' : head.headers.value(at);
  return DECIMAL.test(text) ? Number(text) : -1;
}
