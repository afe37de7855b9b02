import { LIMIT_EXCEPT, LOCATION_IF } from '../../config/contexts.ts';
import { ConfigError } from '../../config/diagnostic.ts';
import type { Scope } from '../../config/scope.ts';
import type { SourcePos } from '../../config/tree.ts';
import type { NumAndSize } from '../../config/values.ts';
import type { TlsProtocol } from '../../net/tls-context.ts';
import { RETRY_CONDITIONS } from '../../policy/retry.ts';

/** `proxy_redirect PATTERN REPLACEMENT`, `proxy_cookie_domain`, `proxy_cookie_path`: not yet compiled. 'default' stands for the pair made from `proxy_pass`. */
export type RewriteRule = 'default' | { readonly pattern: string; readonly replacement: string };

/** `proxy_cookie_flags COOKIE FLAG …`. */
export interface CookieFlagsRule {
  readonly cookie: string;
  readonly flags: readonly string[];
}

/** `proxy_temp_path`, `client_body_temp_path`, as written. */
export interface TempPathConf {
  readonly path: string;
  readonly levels: readonly number[];
}

/** Headers that `proxy_ignore_headers` names. */
export const IGNORABLE_HEADERS = [
  'X-Accel-Redirect',
  'X-Accel-Expires',
  'X-Accel-Limit-Rate',
  'X-Accel-Buffering',
  'X-Accel-Charset',
  'Expires',
  'Cache-Control',
  'Set-Cookie',
  'Vary',
] as const;
export type IgnorableHeader = (typeof IGNORABLE_HEADERS)[number];

/** What the directives of the proxy module say in one scope. Times in ms, sizes in bytes. */
export interface ProxyConf {
  /** `proxy_pass`, as written; null = this location does not proxy. Not inherited, but by `if` and `limit_except`. */
  pass: string | null;
  setHeaders: readonly (readonly [name: string, value: string])[] | null;
  passRequestHeaders: boolean;
  passRequestBody: boolean;
  method: string | null;
  setBody: string | null;
  httpVersion: 10 | 11 | 20;
  requestBuffering: boolean;
  /** `proxy_bind`: address, with or without port, perhaps with variables. */
  bind: string | null;
  socketKeepalive: boolean;
  connectTimeoutMs: number;
  sendTimeoutMs: number;
  readTimeoutMs: number;
  ignoreClientAbort: boolean;
  nextUpstream: number;
  nextUpstreamTries: number;
  nextUpstreamTimeoutMs: number;
  hideHeaders: readonly string[];
  passHeaders: readonly string[];
  ignoreHeaders: readonly IgnorableHeader[];
  passTrailers: boolean;
  forceRanges: boolean;
  interceptErrors: boolean;
  /** Null: nothing said, which is `default` where that is possible; 'off'. */
  redirects: readonly RewriteRule[] | 'off' | null;
  cookieDomains: readonly RewriteRule[] | 'off';
  cookiePaths: readonly RewriteRule[] | 'off';
  cookieFlags: readonly CookieFlagsRule[] | 'off';
  buffering: boolean;
  bufferBytes: number;
  buffers: NumAndSize;
  /** Null: twice the larger of the two above. */
  busyBuffersBytes: number | null;
  tempFileWriteBytes: number | null;
  /** 0 = no temporary files. */
  maxTempFileBytes: number;
  tempPath: TempPathConf;
  limitRate: string;
  bodyTempPath: TempPathConf;
  bodyInFileOnly: 'off' | 'on' | 'clean';
  /** `early_hints`: a 103 is passed when one of these is neither empty nor `0`. */
  earlyHints: readonly string[];
  /** `proxy_ssl_…`; file names as written, '' = none. */
  sslServerName: boolean;
  sslName: string;
  sslVerify: boolean;
  sslVerifyDepth: number;
  sslTrustedCertificate: string;
  sslCrl: string;
  sslCertificate: string;
  sslCertificateKey: string;
  sslPasswordFile: string;
  sslProtocols: readonly TlsProtocol[];
  sslCiphers: string;
  sslSessionReuse: boolean;
  sslCommands: readonly (readonly [name: string, value: string])[];
  /** Where each directive in force stands, by name: for findings that only show when it is compiled. */
  positions: Readonly<Record<string, SourcePos>>;
}

export const DEFAULT_BUFFER_BYTES = 4096;
const DEFAULT_TIMEOUT_MS = 60_000;

export function proxyDefaults(): ProxyConf {
  return {
    pass: null,
    setHeaders: null,
    passRequestHeaders: true,
    passRequestBody: true,
    method: null,
    setBody: null,
    httpVersion: 11,
    requestBuffering: true,
    bind: null,
    socketKeepalive: false,
    connectTimeoutMs: DEFAULT_TIMEOUT_MS,
    sendTimeoutMs: DEFAULT_TIMEOUT_MS,
    readTimeoutMs: DEFAULT_TIMEOUT_MS,
    ignoreClientAbort: false,
    nextUpstream: RETRY_CONDITIONS.error | RETRY_CONDITIONS.timeout,
    nextUpstreamTries: 0,
    nextUpstreamTimeoutMs: 0,
    hideHeaders: [],
    passHeaders: [],
    ignoreHeaders: [],
    passTrailers: false,
    forceRanges: false,
    interceptErrors: false,
    redirects: null,
    cookieDomains: 'off',
    cookiePaths: 'off',
    cookieFlags: 'off',
    buffering: true,
    bufferBytes: DEFAULT_BUFFER_BYTES,
    buffers: { num: 8, sizeBytes: DEFAULT_BUFFER_BYTES },
    busyBuffersBytes: null,
    tempFileWriteBytes: null,
    maxTempFileBytes: 1024 * 1024 * 1024,
    tempPath: { path: 'proxy_temp', levels: [1, 2] },
    limitRate: '0',
    bodyTempPath: { path: 'client_body_temp', levels: [] },
    bodyInFileOnly: 'off',
    earlyHints: [],
    sslServerName: false,
    sslName: '$proxy_host',
    sslVerify: false,
    sslVerifyDepth: 1,
    sslTrustedCertificate: '',
    sslCrl: '',
    sslCertificate: '',
    sslCertificateKey: '',
    sslPasswordFile: '',
    sslProtocols: ['TLSv1.2', 'TLSv1.3'],
    sslCiphers: 'DEFAULT',
    sslSessionReuse: true,
    sslCommands: [],
    positions: {},
  };
}

/** What field-wise inheritance leaves over: `proxy_pass` in blocks without a name of their own, and nginx's checks of the buffers' sizes. */
export function finishProxyConf(
  merged: ProxyConf,
  own: Partial<ProxyConf>,
  scope: Scope,
  parent: ProxyConf | null,
): void {
  merged.positions = { ...parent?.positions, ...own.positions };
  if (own.pass === undefined && (scope.context & (LOCATION_IF | LIMIT_EXCEPT)) !== 0)
    merged.pass = parent?.pass ?? null;
  const { buffers, bufferBytes } = merged;
  const largest = Math.max(bufferBytes, buffers.sizeBytes);
  if (buffers.num < 2) throw new ConfigError('there must be at least 2 "proxy_buffers"');
  const busyBytes = merged.busyBuffersBytes ?? 2 * largest;
  if (busyBytes < largest) throw atLeastTheLargest('"proxy_busy_buffers_size" must be');
  if (busyBytes > (buffers.num - 1) * buffers.sizeBytes) {
    throw new ConfigError(
      '"proxy_busy_buffers_size" must be less than the size of all "proxy_buffers" minus one buffer',
    );
  }
  if ((merged.tempFileWriteBytes ?? 2 * largest) < largest)
    throw atLeastTheLargest('"proxy_temp_file_write_size" must be');
  if (merged.maxTempFileBytes !== 0 && merged.maxTempFileBytes < largest) {
    throw atLeastTheLargest(
      '"proxy_max_temp_file_size" must be equal to zero to disable temporary files usage or must be',
    );
  }
}

function atLeastTheLargest(start: string): ConfigError {
  return new ConfigError(
    `${start} equal to or greater than the maximum of the value of "proxy_buffer_size" and one of the "proxy_buffers"`,
  );
}
