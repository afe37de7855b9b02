import { isIPv6 } from 'node:net';
import { isInNetwork, type Network, unmapped } from './network.ts';
import { addressBytes } from './variables/address-bytes.ts';

/** Proxies that are believed: networks, and clients of unix sockets. */
export interface TrustedProxies {
  readonly networks: readonly Network[];
  readonly trustsUnix: boolean;
}

/** Bytes in network order; port 0 = none was said. */
export interface ForwardedAddress {
  readonly address: string;
  readonly port: number;
}

const MOST_PORT = 65_535;
const NO_ADDRESS = '\xff\xff\xff\xff';

/**
 * nginx's ngx_http_get_forwarded_addr: from `speaker` (bytes; null: a unix socket) back along what trusted proxies said. Without
 * `isRecursive` the last address of the last field counts, otherwise the last one that is not a trusted proxy's. Null: the speaker is not
 * trusted or said nothing useful.
 */
export function forwardedAddress(
  speaker: string | null,
  fields: readonly string[],
  trusted: TrustedProxies,
  isRecursive: boolean,
): ForwardedAddress | null {
  let known: ForwardedAddress | null = null;
  for (const field of fields.toReversed()) {
    let rest = field;
    do {
      if (!isTrusted(known === null ? speaker : known.address, trusted)) return known;
      rest = withoutSeparators(rest);
      const start = lastStart(rest);
      const next = parseAddressPort(rest.slice(start));
      if (next === null) return known;
      known = next;
      rest = rest.slice(0, Math.max(0, start - 1));
    } while (isRecursive && rest !== '');
    if (!isRecursive) return known;
  }
  return known;
}

function isTrusted(address: string | null, { networks, trustsUnix }: TrustedProxies): boolean {
  if (address === null) return trustsUnix;
  const client = unmapped(address);
  return networks.some((network) => isInNetwork(client, network));
}

/** As nginx, the first character always stays. */
function withoutSeparators(text: string): string {
  let end = text.length;
  while (end > 1 && isSeparator(text[end - 1])) end--;
  return text.slice(0, end);
}

/** Where the last address begins. */
function lastStart(text: string): number {
  for (let at = text.length - 1; at > 0; at--) if (isSeparator(text[at])) return at + 1;
  return 0;
}

function isSeparator(char: string | undefined): boolean {
  return char === ' ' || char === ',';
}

/** `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]:80`; null for anything else. */
export function parseAddressPort(text: string): ForwardedAddress | null {
  const plain = parseAddress(text);
  if (plain !== null) return { address: plain, port: 0 };
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > MOST_PORT) return null;
  const address = parseAddress(match[1] ?? match[2] ?? '');
  return address === null ? null : { address, port };
}

function parseAddress(text: string): string | null {
  if (text.includes(':')) return isIPv6(text) && !text.includes('%') ? addressBytes(text) : null;
  // As nginx: leading zeros and empty numbers pass, and what inet_addr() can't tell from a failure does not.
  const numbers = text.split('.');
  if (numbers.length !== 4 || !numbers.every((number) => /^\d*$/.test(number) && Number(number) <= 255)) return null;
  const bytes = String.fromCharCode(...numbers.map(Number));
  return bytes === NO_ADDRESS ? null : bytes;
}
