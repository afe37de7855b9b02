import type { Exchange } from '../../src/http/exchange.ts';
import {
  type CoreSettings,
  Location,
  type PhaseHandler,
  type RequestLog,
  type ServerGroup,
  type ServerSettings,
  type VirtualServer,
} from '../../src/http/location.ts';

/** nginx's defaults. */
export const CORE: CoreSettings = {
  clientMaxBodyBytes: 1 << 20,
  clientBodyBufferBytes: 16_384,
  clientBodyTimeoutMs: 60_000,
  sendTimeoutMs: 60_000,
  keepaliveTimeoutMs: 75_000,
  keepaliveHeaderSec: 0,
  keepaliveRequests: 1000,
  keepaliveTimeMs: 3_600_000,
  keepaliveDisable: ['msie6'],
  lingeringClose: 'on',
  lingeringTimeMs: 30_000,
  lingeringTimeoutMs: 5000,
  resetTimedoutConnection: false,
  chunkedTransferEncoding: true,
  serverTokens: 'on',
  msiePadding: true,
  absoluteRedirect: true,
  portInRedirect: true,
  serverNameInRedirect: false,
  logNotFound: true,
  logSubrequest: false,
  etag: true,
  ifModifiedSince: 'exact',
  maxRanges: Number.POSITIVE_INFINITY,
  defaultType: 'text/plain',
  types: new Map(),
  limitRateBytes: 0,
  limitRateAfterBytes: 0,
};

export const SETTINGS: ServerSettings = {
  clientHeaderTimeoutMs: 60_000,
  clientHeaderBufferBytes: 1024,
  largeHeaderBuffers: { count: 4, bytes: 8192 },
  ignoreInvalidHeaders: true,
  underscoresInHeaders: false,
  mergeSlashes: true,
};

export interface Site {
  readonly group: ServerGroup;
  /** Texts of the error log. */
  readonly log: string[];
  /** Status of each request that ended, in order. */
  readonly ended: number[];
}

/** One server, one location, one handler for every request: enough to try an engine without a configuration. */
export function plainSite(
  handler: PhaseHandler,
  core: Partial<CoreSettings> = {},
  settings: Partial<ServerSettings> = {},
): Site {
  const log: string[] = [];
  const ended: number[] = [];
  const errorLog: RequestLog = {
    isEnabled: () => true,
    write: (_level, _ex, text) => {
      log.push(text);
    },
    writeWaiting: () => undefined,
  };
  const location = new Location('', { ...CORE, ...core }, errorLog);
  location.handlers.push(handler);
  location.logHandlers.push((ex: Exchange) => {
    ended.push(ex.response.status);
  });
  const server: VirtualServer = {
    name: '',
    settings: { ...SETTINGS, ...settings },
    defaultLocation: location,
    serverHandlers: [],
    firstRewriteHandler: 0,
    findLocation: () => location,
    namedLocations: new Map(),
    tls: null,
  };
  return { group: { defaultServer: server, find: () => server, findNamed: () => null }, log, ended };
}
