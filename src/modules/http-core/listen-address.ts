import { isIPv4, isIPv6 } from 'node:net';
import type { DirectiveUse } from '../../config/directive-spec.ts';
import { resolveHost } from './resolve-host.ts';

/** Where to listen, before the options. */
export interface SocketAddress {
  readonly family: 'inet' | 'inet6' | 'unix';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly isWildcard: boolean;
}

const DEFAULT_PORT = 80;
/** sun_path of Linux, its closing NUL included. */
const UNIX_PATH_BYTES = 108;

/** `80`, `*:80`, `host`, `host:80`, `[::]:80`, `unix:/path`; `8000-8010` is ten ports and one. A name may have several addresses. */
export function parseListenAddress(text: string, use: DirectiveUse): SocketAddress[] {
  const fail = (why: string): never => use.fail(`${why} in "${text}" of the "listen" directive`);
  if (text.toLowerCase().startsWith('unix:')) return [unixAddress(text.slice(5), fail)];
  return text.startsWith('[') ? inet6Addresses(text, fail) : inetAddresses(text, fail);
}

function unixAddress(path: string, fail: (why: string) => never): SocketAddress {
  if (path === '') fail('no path in the unix domain socket');
  if (path.length + 1 > UNIX_PATH_BYTES) fail('too long path in the unix domain socket');
  return { family: 'unix', host: '', port: 0, path, isWildcard: false };
}

function inet6Addresses(text: string, fail: (why: string) => never): SocketAddress[] {
  const close = text.indexOf(']');
  if (close < 0 || text.includes('/')) fail('invalid host');
  const rest = text.slice(close + 1);
  if (rest !== '' && !rest.startsWith(':')) fail('invalid host');
  const ports = rest === '' ? [DEFAULT_PORT] : portsOf(rest.slice(1), fail);
  const host = text.slice(1, close);
  if (host === '') fail('no host');
  if (!isIPv6(host)) fail('invalid IPv6 address');
  return ports.map((port) => inet6(host, port));
}

function inetAddresses(text: string, fail: (why: string) => never): SocketAddress[] {
  if (text.includes('/')) fail('invalid host');
  const colon = text.indexOf(':');
  if (colon < 0 && /^[0-9]+(-[0-9]+)?$/.test(text)) {
    return portsOf(text, fail).map((port) => inet('0.0.0.0', port));
  }
  const ports = colon < 0 ? [DEFAULT_PORT] : portsOf(text.slice(colon + 1), fail);
  const host = colon < 0 ? text : text.slice(0, colon);
  if (host === '') fail('no host');
  const addresses = host === '*' ? ['0.0.0.0'] : isIPv4(host) ? [host] : resolveHost(host);
  if (addresses.length === 0) fail('host not found');
  return ports.flatMap((port) =>
    addresses.map((address) => (isIPv6(address) ? inet6(address, port) : inet(address, port))),
  );
}

/** `80` or `8000-8010`. */
function portsOf(text: string, fail: (why: string) => never): number[] {
  const match = /^([0-9]+)(?:-([0-9]+))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? first);
  if (match === null || first < 1 || last > 65_535) return fail('invalid port');
  if (first > last) return fail('invalid port range');
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function inet(host: string, port: number): SocketAddress {
  return { family: 'inet', host, port, path: '', isWildcard: host === '0.0.0.0' };
}

function inet6(text: string, port: number): SocketAddress {
  // The shortest form, as nginx prints it.
  const host = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  return { family: 'inet6', host, port, path: '', isWildcard: host === '::' };
}

/** `0.0.0.0:80`, `[::]:80`, `unix:/path`: nginx's text of an address. */
export function addressText(address: SocketAddress): string {
  if (address.family === 'unix') return `unix:${address.path}`;
  return address.family === 'inet6' ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
