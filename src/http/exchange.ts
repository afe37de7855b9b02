import { clearArray } from '../core/clear-array.ts';
import type { ClientConnection, ClientStream } from './client-stream.ts';
import type { FilteredStream } from './filtered-stream.ts';
import type { HeaderBlock } from './header-block.ts';
import type { Location, VirtualServer } from './location.ts';
import type { KeptBody, RequestBody } from './request-body.ts';
import { RequestHead } from './request-head.ts';
import { ResponseHead } from './response-head.ts';
import type { Subrequest } from './subrequest.ts';
import type { UpstreamResponseHead } from './upstream-response-head.ts';

/** One attempt at a peer, for the `$upstream_*` lists and the log. Times in ms on the `nowMs()` scale; -1 = not reached. */
export class UpstreamAttempt {
  /** `$upstream_addr` element. */
  address = '';
  /** `$upstream_status` element; 0 = none (shown as `-` or `502`/`504` as nginx does). */
  status = 0;
  startedAtMs = 0;
  /** Durations in ms, -1 = not reached. */
  connectMs = -1;
  headerMs = -1;
  responseMs = -1;
  bytesReceived = 0;
  bytesSent = 0;
  responseLength = 0;
  /** An internal redirect began a new group of attempts here: nginx joins with ` : ` instead of `, `. */
  startsGroup = false;
}

/** State that belongs to the content handler that runs this exchange (the proxy's attempt loop, say). */
export interface ContentState {
  /**
   * The client went away: stop everything. Called at most once. Not called after the exchange ended.
   * `reason`: what the log says, at this level; default: that the client closed the connection. `cause`: what broke it (a reset).
   */
  onClientAborted(reason?: string, cause?: Error | null, level?: 'info' | 'error'): void;
  /** The head was all that is wanted: stop, and say nothing about it. Absent: nothing comes behind a head that needs no body. */
  abandon?(): void;
  /** The stream took all that was waiting (`sendBody` had returned false). */
  onWritable(): void;
}

/** A pooled thing that an exchange uses until it is reset, log phase included. */
export interface Recyclable {
  recycle(): void;
}

/**
 * One request and its response. Pooled per connection slot; fixed shape: every field is set here and in `reset`.
 * Strings are byte strings (one char = one byte).
 */
export class Exchange {
  // who
  connection: ClientConnection;
  stream: ClientStream;
  // what came
  readonly request = new RequestHead();
  /** Validated host: lower case, without port; '' when the request had none. `$host` falls back to the server's name. */
  host = '';
  /** Normalised path, unescaped, without query. `$uri`. */
  uri = '';
  /** Query without '?'. `$args`. */
  args = '';
  /** A rewrite or `set $args` has made the query empty: `$args` is an empty text then, not nothing. */
  isArgsEmptied = false;
  /**
   * The path was decoded, or replaced by a redirect: whoever sends `uri` or a part of it on must escape it (http/escape-uri).
   * `request.target` may still hold as sent: see `isUriRewritten`.
   */
  isUriChanged = false;
  /** `uri` no longer is what `request.target` says (internal redirect, rewrite): proxy_pass without a URI must send `uri`. */
  isUriRewritten = false;
  /** `uri` still begins with what the location's name stands for: false after `rewrite … break`, when proxy_pass's own URI no longer counts. */
  isPrefixValid = true;
  /** `try_files` has put `uri` below the alias of a regex location. */
  addsUriToAlias = false;
  startedAtMs = 0;
  // where it goes
  server: VirtualServer;
  location: Location;
  /** Captures of the regex location or server_name matched last; `$1` is [1]. */
  captures: readonly (string | undefined)[] | null = null;
  serverCaptures: readonly (string | undefined)[] | null = null;
  /** The server's own phases run; afterwards the location is chosen. */
  isInServerPhases = false;
  /** Handler to run next in the server's or location's flat phase table. */
  phase = 0;
  isInternal = false;
  redirects = 0;
  /** `satisfy any`: status of the refusals so far; 0 = none. */
  accessStatus = 0;
  /** It was sent to an `error_page`, and no other one may follow. */
  isErrorPage = false;
  // what goes out
  readonly response = new ResponseHead();
  /** Status that an error has, whatever the content of its page says; 0 = none: the content's own. */
  errorStatus = 0;
  /** Nothing but the head is to be sent (HEAD, 204, 304): the stream drops body bytes. */
  isHeadOnly = false;
  /** Filters that the body goes through; null: none. */
  filtered: FilteredStream | null = null;
  /** Bytes sent to the client, all and body only. */
  bytesSent = 0;
  bodyBytesSent = 0;
  /** Bytes of the request read, head and body. */
  requestBytes = 0;
  /** `set $limit_rate`: bytes per second of the response; -1 = what the location says. */
  limitRateBytes = -1;
  keepAlive = false;
  /** It had arrived, at least in part, before its predecessor was answered: `$pipe`. */
  isPipelined = false;
  /** The whole response was handed to the socket (`endBody` ran): `$request_completion`. Set by the stream before the log phase. */
  isComplete = false;
  // who works on it
  content: ContentState | null = null;
  readonly attempts: UpstreamAttempt[] = [];
  attemptCount = 0;
  /** Head of the last response from a peer, for `$upstream_http_*`; null before the first. */
  upstreamHead: UpstreamResponseHead | null = null;
  /** Trailer fields that the peer's response ended with, where they are passed on; a copy. */
  trailers: HeaderBlock | null = null;
  /** Values of `set`, `map` and captured names, by slot; undefined = not computed. */
  slots: (string | null | undefined)[] = [];
  /** `$request_id`, made when first asked for. */
  requestId = '';
  /** `$limit_rate` / proxy state that modules keep per request, keyed by the module. Null until the first one. */
  extras: Map<object, unknown> | null = null;
  /** Request body kept in memory or file by the content handler (http/request-body). */
  body: KeptBody | null = null;
  /** The body was read whole before there was a content handler (`mirror`): whoever wants it reads it there. */
  readBody: RequestBody | null = null;
  /** It is a subrequest: one that the proxy makes for another request. Null: it came from a client. */
  subrequest: Subrequest | null = null;
  /** The content handler's state, which variables still read in the log phase; `recycle` gives it back to its pool after that. */
  recyclable: Recyclable | null = null;
  /** Things that the request has taken and that go back when it is over, log phase included (`limit_conn`). */
  readonly held: Recyclable[] = [];
  /** `$limit_req_status`, `$limit_conn_status`: what the first location that limits said; '' = none did. */
  limitReqStatus = '';
  limitConnStatus = '';
  /** Log phase ran. */
  isLogged = false;

  constructor(connection: ClientConnection, stream: ClientStream, server: VirtualServer) {
    this.connection = connection;
    this.stream = stream;
    this.server = server;
    this.location = server.defaultLocation;
  }

  /** Appends an attempt, reusing the objects of earlier requests. */
  nextAttempt(): UpstreamAttempt {
    let attempt = this.attempts[this.attemptCount];
    if (attempt === undefined) {
      attempt = new UpstreamAttempt();
      this.attempts.push(attempt);
    } else {
      attempt.address = '';
      attempt.status = 0;
      attempt.startedAtMs = 0;
      attempt.connectMs = -1;
      attempt.headerMs = -1;
      attempt.responseMs = -1;
      attempt.bytesReceived = 0;
      attempt.bytesSent = 0;
      attempt.responseLength = 0;
      attempt.startsGroup = false;
    }
    this.attemptCount++;
    return attempt;
  }

  /** For the stream: it took all that was waiting (`sendBody` or `flush` had returned false). */
  onWritable(): void {
    if (this.filtered !== null) this.filtered.onWritable();
    else this.content?.onWritable();
  }

  /** Logged and over: lets go of what must not wait for the next request. */
  recycle(): void {
    this.recyclable?.recycle();
    this.recyclable = null;
    while (this.held.length > 0) this.held.pop()?.recycle();
  }

  reset(server: VirtualServer): void {
    this.request.reset();
    this.host = '';
    this.uri = '';
    this.args = '';
    this.isArgsEmptied = false;
    this.isUriChanged = false;
    this.isUriRewritten = false;
    this.isPrefixValid = true;
    this.addsUriToAlias = false;
    this.startedAtMs = 0;
    this.server = server;
    this.location = server.defaultLocation;
    this.captures = null;
    this.serverCaptures = null;
    this.isInServerPhases = false;
    this.phase = 0;
    this.isInternal = false;
    this.redirects = 0;
    this.accessStatus = 0;
    this.isErrorPage = false;
    this.response.reset();
    this.errorStatus = 0;
    this.isHeadOnly = false;
    this.filtered = null;
    this.bytesSent = 0;
    this.bodyBytesSent = 0;
    this.requestBytes = 0;
    this.limitRateBytes = -1;
    this.keepAlive = false;
    this.isPipelined = false;
    this.isComplete = false;
    this.content = null;
    this.attemptCount = 0;
    this.upstreamHead = null;
    this.trailers = null;
    clearArray(this.slots);
    this.requestId = '';
    this.extras = null;
    this.body = null;
    this.readBody = null;
    this.subrequest = null;
    this.recycle();
    this.limitReqStatus = '';
    this.limitConnStatus = '';
    this.isLogged = false;
  }
}
