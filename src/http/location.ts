import type { LogLevel as AnyLogLevel } from '../observe/log-level.ts';
import type { ClientConnection } from './client-stream.ts';
import type { Exchange } from './exchange.ts';
import type { Http2Settings } from './http2-settings.ts';
import type { ServerTls } from './tls.ts';
import type { Template } from './variable.ts';

/** What a phase handler says to do next. 'pending': it will call `runPhases(ex)` (http/phases) itself when it is ready. */
export const NEXT = 0;
export const DONE = 1;
export const PENDING = 2;
export type PhaseResult = typeof NEXT | typeof DONE | typeof PENDING;

/** DONE: the handler has answered (or taken over) the exchange. */
export type PhaseHandler = (ex: Exchange) => PhaseResult;

/** Edits the response head before it is written; runs once per final response. */
export type HeaderFilter = (ex: Exchange) => void;

/** Runs when the response was sent or given up, before the client's connection closes. */
export type LogHandler = (ex: Exchange) => void;

/** Answers in place of the built-in page for `status`. False: it has nothing for this status. */
export type ErrorPageHandler = (ex: Exchange, status: number) => boolean;

/** Order in which handlers run within a location: nginx's. */
export const PHASES = ['post-read', 'rewrite', 'preaccess', 'access', 'precontent'] as const;
export type Phase = (typeof PHASES)[number];

/** What the core of http and the protocol engines read of a location's configuration on each request. All times in ms, 0 = off; sizes in bytes, 0 = no limit. */
export interface CoreSettings {
  clientMaxBodyBytes: number;
  clientBodyBufferBytes: number;
  clientBodyTimeoutMs: number;
  sendTimeoutMs: number;
  keepaliveTimeoutMs: number;
  /** Seconds in the `Keep-Alive: timeout=` field; 0 = field not sent. */
  keepaliveHeaderSec: number;
  keepaliveRequests: number;
  keepaliveTimeMs: number;
  /** `keepalive_disable`: browsers whose connections are not kept; msie6 only after a POST. */
  keepaliveDisable: readonly ('msie6' | 'safari')[];
  lingeringClose: 'off' | 'on' | 'always';
  lingeringTimeMs: number;
  lingeringTimeoutMs: number;
  resetTimedoutConnection: boolean;
  chunkedTransferEncoding: boolean;
  serverTokens: 'on' | 'off' | 'build';
  /** Error pages for MSIE and Chrome get a comment that makes them long enough to be shown. */
  msiePadding: boolean;
  absoluteRedirect: boolean;
  portInRedirect: boolean;
  serverNameInRedirect: boolean;
  logNotFound: boolean;
  logSubrequest: boolean;
  defaultType: string;
  /** `etag`: files have an ETag. */
  etag: boolean;
  /** Which times in If-Modified-Since mean that a response has not changed. */
  ifModifiedSince: 'off' | 'exact' | 'before';
  /** Ranges that one response may have; more get the whole. 0: ranges are not answered. */
  maxRanges: number;
  /** Lower-case extension to type. */
  types: ReadonlyMap<string, string>;
  /** Bytes per second for the response; 0 = unlimited. */
  limitRateBytes: number;
  limitRateAfterBytes: number;
}

/** A location after compilation; immutable. A server's own settings are a location too (`defaultLocation`). */
export class Location {
  /** Path or pattern as written, for messages; '' for a server's own. */
  readonly name: string;
  readonly core: CoreSettings;
  /** Flat table: handlers of all phases in order. Ends with the content handler. */
  readonly handlers: PhaseHandler[] = [];
  readonly headerFilters: HeaderFilter[] = [];
  readonly logHandlers: LogHandler[] = [];
  /** Error log of this location. */
  readonly errorLog: RequestLog;
  /** What modules compiled for this location, for their own handlers and variables. */
  readonly compiled = new Map<object, unknown>();
  /** nginx's auto redirect: a prefix location that ends in '/' and is proxied answers 301 for the path without it. */
  autoRedirect = false;
  /** `limit_rate` and `limit_rate_after` where they have variables; null: what `core` says. */
  limitRate: Template | null = null;
  limitRateAfter: Template | null = null;
  /** `limit_except`: what holds in this location's place for all but some methods; null: nothing. */
  limitExcept: LimitExcept | null = null;
  /** `uninitialized_variable_warn`: a variable that `set` never reached is worth a line in the error log. */
  warnsOfUninitialized = true;
  /** `satisfy any`: one access check that says yes is enough. */
  satisfiesAny = false;
  /** Index in `handlers` behind the access checks. */
  accessEnd = 0;
  /** `internal`: 404 for what comes from a client. */
  isInternal = false;
  /** `error_page` and kin: asked first for every status that would be answered with a page. True: it has taken over. */
  errorPage: ErrorPageHandler | null = null;
  /** Statuses that `errorPage` would take over, for `proxy_intercept_errors`; null = none. */
  errorPageStatuses: ReadonlySet<number> | null = null;

  constructor(name: string, core: CoreSettings, errorLog: RequestLog) {
    this.name = name;
    this.core = core;
    this.errorLog = errorLog;
  }
}

/** `limit_except`. */
export interface LimitExcept {
  /** Methods for which the location itself holds. */
  readonly methods: ReadonlySet<string>;
  /** What holds for all others. */
  readonly location: Location;
}

export type LogLevel = AnyLogLevel;

/** Error log seen by the data path: adds `*CONN`, `client:`, `server:`, `request:`, `upstream:`, `host:` from the exchange. */
export interface RequestLog {
  isEnabled(level: LogLevel): boolean;
  /** `text` is in nginx's words, without the trailing context. `upstream` is the URL tried (`http://127.0.0.1:80/path`), if any. */
  write(level: LogLevel, ex: Exchange, text: string, upstream?: string): void;
  /** For a connection that has sent nothing yet. */
  writeWaiting(level: LogLevel, connection: ClientConnection, text: string): void;
}

/** What the protocol engine needs before a location is known. Read of the default server until the Host is known, as nginx does. */
export interface ServerSettings {
  clientHeaderTimeoutMs: number;
  clientHeaderBufferBytes: number;
  largeHeaderBuffers: { readonly count: number; readonly bytes: number };
  ignoreInvalidHeaders: boolean;
  underscoresInHeaders: boolean;
  mergeSlashes: boolean;
}

/** One `server` block after compilation; immutable. */
export interface VirtualServer {
  /** First server_name, for logs and redirects; ''. */
  readonly name: string;
  readonly settings: ServerSettings;
  /** Settings that hold before and without a location. */
  readonly defaultLocation: Location;
  /** Handlers of the server's own phases (post-read, rewrite), before the location is chosen. */
  readonly serverHandlers: readonly PhaseHandler[];
  /** First of them that an internal redirect runs again: post-read runs once. */
  readonly firstRewriteHandler: number;
  /** Chooses the location of `ex.uri`; sets `ex.captures` for a regex one. Null: none fits (404 by the default location). */
  findLocation(ex: Exchange): Location | null;
  readonly namedLocations: ReadonlyMap<string, Location>;
  /** Null: it has no certificate, and refuses no handshake. */
  readonly tls: ServerTls | null;
  /** Absent: no HTTP/2, and the defaults where `listen … http2` says so. */
  readonly http2?: Http2Settings;
}

/** All servers behind one listening address. */
export interface ServerGroup {
  readonly defaultServer: VirtualServer;
  /** `listen … proxy_protocol`: each connection begins with a PROXY protocol header. Absent: no. */
  readonly readsProxyProtocol?: boolean;
  /** `listen … ssl`. Absent: no. */
  readonly isTls?: boolean;
  /** `listen … http2`: for all servers of the address. Absent: no. */
  readonly hasHttp2?: boolean;
  /** A reload has taken the address out of the configuration: its connections end behind what is under way. Absent: no. */
  readonly isRetired?: boolean;
  /** Server for a lower-case host without port; sets `ex.serverCaptures` for a regex name. */
  find(host: string, ex: Exchange): VirtualServer;
  /** Server that has this name (lower case) among others; null: none has, or there is only one server. */
  findNamed(host: string): VirtualServer | null;
}
