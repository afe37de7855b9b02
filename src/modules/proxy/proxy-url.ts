import { ConfigError } from '../../config/diagnostic.ts';

/** `http[s]://HOST[:PORT][/URI]` of `proxy_pass`, taken apart as nginx does. */
export interface ProxyUrl {
  /** As written (or as the variables gave it). */
  readonly text: string;
  readonly isTls: boolean;
  /** `HOST[:PORT]` or `unix:PATH`, for the upstream registry. */
  readonly authority: string;
  /** `$proxy_host`: with the port unless it is the scheme's; `localhost` for a unix socket. */
  readonly host: string;
  /** `$proxy_port`; '' for a unix socket. */
  readonly port: string;
  /** What stands behind the authority; '' = nothing: the client's URI is sent as it came. */
  readonly uri: string;
}

const PREFIX = 'http://';
const TLS_PREFIX = 'https://';

/** Port of a URL that names none. */
export function defaultPort(url: { readonly isTls: boolean }): number {
  return url.isTls ? 443 : 80;
}

/** What stands behind the scheme. */
export function behindScheme(url: ProxyUrl): string {
  return url.text.slice((url.isTls ? TLS_PREFIX : PREFIX).length);
}

/** Throws ConfigError in nginx's words. The authority itself is checked by the registry. */
export function parseProxyUrl(text: string): ProxyUrl {
  const lower = text.slice(0, TLS_PREFIX.length).toLowerCase();
  const isTls = lower === TLS_PREFIX;
  if (!isTls && !lower.startsWith(PREFIX)) throw new ConfigError('invalid URL prefix');
  const rest = text.slice((isTls ? TLS_PREFIX : PREFIX).length);
  return rest.slice(0, 5).toLowerCase() === 'unix:' ? unixUrl(text, isTls, rest) : tcpUrl(text, isTls, rest);
}

/** `unix:PATH[:URI]` */
function unixUrl(text: string, isTls: boolean, rest: string): ProxyUrl {
  const colon = rest.indexOf(':', 5);
  const authority = colon < 0 ? rest : rest.slice(0, colon);
  const uri = colon < 0 ? '' : rest.slice(colon + 1);
  return { text, isTls, authority, host: 'localhost', port: '', uri: rooted(uri) };
}

function tcpUrl(text: string, isTls: boolean, rest: string): ProxyUrl {
  const uriAt = rest.search(/[/?]/);
  const authority = uriAt < 0 ? rest : rest.slice(0, uriAt);
  const bracket = authority.lastIndexOf(']');
  const colon = authority.indexOf(':', bracket + 1);
  const usual = String(defaultPort({ isTls }));
  const port = colon < 0 ? usual : authority.slice(colon + 1);
  const name = colon < 0 ? authority : authority.slice(0, colon);
  return {
    text,
    isTls,
    authority,
    host: port === usual ? name : authority,
    port,
    uri: rooted(uriAt < 0 ? '' : rest.slice(uriAt)),
  };
}

function rooted(uri: string): string {
  return uri.startsWith('?') ? `/${uri}` : uri;
}

/** Whether `proxy_pass`'s argument holds variables (nginx counts the dollars). */
export function hasVariables(text: string): boolean {
  return text.includes('$');
}
