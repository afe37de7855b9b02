import { isIPv4, isIPv6 } from 'node:net';
import { ConfigError } from '../config/diagnostic.ts';
import type { PeerAddress } from './peer-address.ts';

/** What stands in `server` or behind `http://` in `proxy_pass`, taken apart: an address, or a name that is still to be resolved. */
export interface PassTarget {
  /** As written: `backend:8080`, `[::1]`, `unix:/run/x.sock`. */
  readonly text: string;
  /** Host without port, as written, with the brackets of IPv6: `$proxy_host`'s; the path for a unix socket. */
  readonly host: string;
  /** 0 for a unix socket. */
  readonly port: number;
  readonly hasPort: boolean;
  /** Null: `host` is a name. */
  readonly address: PeerAddress | null;
}

/** `sockaddr_un.sun_path` less the closing zero. */
const LONGEST_UNIX_PATH = 107;

/**
 * nginx's ngx_parse_url for a place to connect to. Throws ConfigError with nginx's short reason (`invalid port`, `no host`, …);
 * the caller adds where: ` in upstream "…"`.
 */
export function parsePassTarget(text: string, defaultPort: number): PassTarget {
  if (text.slice(0, 5).toLowerCase() === 'unix:') return unixTarget(text);
  if (text.startsWith('[')) return ipv6Target(text, defaultPort);
  const colon = text.indexOf(':');
  const slash = text.search(/[/?]/);
  if (slash >= 0) throw new ConfigError('invalid host');
  const host = colon < 0 ? text : text.slice(0, colon);
  const port = colon < 0 ? defaultPort : parsePort(text.slice(colon + 1));
  if (host === '') throw new ConfigError('no host');
  const address: PeerAddress | null = isIPv4(host) ? { kind: 'tcp', host, port, family: 4 } : null;
  return { text, host, port, hasPort: colon >= 0, address };
}

function unixTarget(text: string): PassTarget {
  const path = text.slice(5);
  if (path === '') throw new ConfigError('no path in the unix domain socket');
  if (path.length > LONGEST_UNIX_PATH) throw new ConfigError('too long path in the unix domain socket');
  return { text, host: path, port: 0, hasPort: false, address: { kind: 'unix', path } };
}

function ipv6Target(text: string, defaultPort: number): PassTarget {
  const end = text.indexOf(']');
  if (end < 0) throw new ConfigError('invalid host');
  const inner = text.slice(1, end);
  const rest = text.slice(end + 1);
  if (/[/?]/.test(rest)) throw new ConfigError('invalid host');
  if (rest !== '' && !rest.startsWith(':')) throw new ConfigError('invalid host');
  const port = rest === '' ? defaultPort : parsePort(rest.slice(1));
  if (inner === '') throw new ConfigError('no host');
  if (!isIPv6(inner)) throw new ConfigError('invalid IPv6 address');
  return {
    text,
    host: text.slice(0, end + 1),
    port,
    hasPort: rest !== '',
    address: { kind: 'tcp', host: inner, port, family: 6 },
  };
}

function parsePort(text: string): number {
  const port = /^[0-9]+$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new ConfigError('invalid port');
  return port;
}
