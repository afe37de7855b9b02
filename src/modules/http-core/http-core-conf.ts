import type { CoreSettings, ServerSettings } from '../../http/location.ts';
import type { SymlinkRule } from '../static/open-file.ts';
import type { ListenConf } from './listen-conf.ts';
import type { LocationConf } from './location-conf.ts';
import type { ServerNameConf } from './server-name-conf.ts';

export const ALIAS_OF_REGEX = -1;

export interface SymlinkConf {
  readonly rule: SymlinkRule;
  /** Part of the path, with variables, that is not looked at; null: none. */
  readonly from: string | null;
}

/** What the core directives of http say in one scope. */
export interface HttpCoreConf extends CoreSettings, ServerSettings {
  /** Of a server; one entry per directive and address. Empty: `*:80` (`*:8000` without root). */
  listens: readonly (readonly ListenConf[])[];
  /** Of a server; one entry per directive. Empty: the empty name. */
  serverNames: readonly (readonly ServerNameConf[])[];
  /** Of a location; null in http and server. */
  location: LocationConf | null;
  isInternal: boolean;
  /** Whether all access checks must say yes, or one. */
  satisfy: 'all' | 'any';
  /** `limit_except`: methods for which it does not hold; null: there is none. */
  limitExceptMethods: readonly string[] | null;
  /** `limit_rate` and `limit_rate_after` with variables; null: the numbers hold. */
  limitRateText: string | null;
  limitRateAfterText: string | null;
  /** `connection_pool_size`: no larger header buffer may be smaller. */
  connectionPoolBytes: number;
  /** `root` or `alias`: directory of files, relative to the prefix, with variables. */
  root: string;
  /** Bytes of the URI that an alias stands for; 0: it is a root; ALIAS_OF_REGEX: an alias in a regex location is the whole name. */
  aliasLength: number;
  /** With variables. */
  index: readonly string[];
  /** `disable_symlinks`. */
  symlinks: SymlinkConf;
}

/** What nginx has when nothing is said. */
export function httpCoreDefaults(): HttpCoreConf {
  return {
    clientMaxBodyBytes: 1_048_576,
    clientBodyBufferBytes: 8192,
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
    defaultType: 'text/plain',
    etag: true,
    ifModifiedSince: 'exact',
    maxRanges: Number.POSITIVE_INFINITY,
    types: DEFAULT_TYPES,
    limitRateBytes: 0,
    limitRateAfterBytes: 0,
    clientHeaderTimeoutMs: 60_000,
    clientHeaderBufferBytes: 1024,
    largeHeaderBuffers: { count: 4, bytes: 8192 },
    ignoreInvalidHeaders: true,
    underscoresInHeaders: false,
    mergeSlashes: true,
    listens: [],
    serverNames: [],
    location: null,
    isInternal: false,
    satisfy: 'all',
    limitExceptMethods: null,
    limitRateText: null,
    limitRateAfterText: null,
    connectionPoolBytes: 512,
    root: 'html',
    aliasLength: 0,
    index: ['index.html'],
    symlinks: { rule: 'off', from: null },
  };
}

const DEFAULT_TYPES: ReadonlyMap<string, string> = new Map([
  ['html', 'text/html'],
  ['gif', 'image/gif'],
  ['jpg', 'image/jpeg'],
]);
