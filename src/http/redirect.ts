import { escapeUri } from './escape-uri.ts';
import type { Exchange } from './exchange.ts';

/** What stands in `Location` for a redirect to `target`: a path becomes a URL of this server as `absolute_redirect` and kin say. */
export function locationValue(ex: Exchange, target: string): string {
  const core = ex.location.core;
  if (target.charCodeAt(0) !== 0x2f || !core.absoluteRedirect) return target;
  const connection = ex.connection;
  const host = core.serverNameInRedirect ? ex.server.name : ex.host === '' ? localHost(ex) : ex.host;
  const isTls = connection.isTls;
  const port = connection.localPort;
  const isUsualPort = port === 0 || port === (isTls ? 443 : 80);
  const withPort = core.portInRedirect && !isUsualPort ? `${host}:${port}` : host;
  return `${isTls ? 'https' : 'http'}://${withPort}${target}`;
}

/** `path` plus the query, escaped: the automatic redirect to a location with its slash. */
export function redirectToPath(path: string, args: string): string {
  return args === '' ? escapeUri(path) : `${escapeUri(path)}?${args}`;
}

function localHost(ex: Exchange): string {
  const { localAddress, unixPath } = ex.connection;
  if (unixPath !== '') return `unix:${unixPath}`;
  return localAddress.includes(':') ? `[${localAddress}]` : localAddress;
}
