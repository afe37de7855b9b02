import { isIPv4, isIPv6 } from 'node:net';
import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseInteger } from '../../config/parse-value.ts';
import { addressBytes } from '../../http/variables/address-bytes.ts';

/** One `allow` or `deny`. */
export interface AccessRule {
  readonly isDeny: boolean;
  /** Everybody, clients of unix sockets, or those of a network. */
  readonly whom: 'all' | 'unix' | 'network';
  /** In network order, 4 or 16 bytes; ''. */
  readonly network: string;
  /** Length of the prefix that must agree. */
  readonly bits: number;
}

const MAPPED = `${'\0'.repeat(10)}\xff\xff`;

/** `all`, `unix:`, an address or a CIDR. */
export function parseAccessRule(use: DirectiveUse, isDeny: boolean): AccessRule {
  const [text = ''] = use.args;
  if (text === 'all') return { isDeny, whom: 'all', network: '', bits: 0 };
  if (text === 'unix:') return { isDeny, whom: 'unix', network: '', bits: 0 };
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  if (!isIPv4(host) && (!isIPv6(host) || host.includes('%'))) use.fail(`invalid parameter "${text}"`);
  const address = addressBytes(host);
  const bits = slash < 0 ? address.length * 8 : parseInteger(text.slice(slash + 1));
  if (bits === null || bits > address.length * 8) use.fail(`invalid parameter "${text}"`);
  const network = masked(address, bits);
  if (network !== address) use.warn(`low address bits of ${text} are meaningless`);
  return { isDeny, whom: 'network', network, bits };
}

/** Whether the first rule that fits denies. `address`: the client's; null: it came by a unix socket. */
export function isDenied(rules: readonly AccessRule[], address: string | null): boolean {
  const client = address === null ? null : clientBytes(address);
  for (const rule of rules) {
    if (rule.whom === 'all' || (client === null ? rule.whom === 'unix' : isInside(client, rule))) return rule.isDeny;
  }
  return false;
}

/** IPv4 clients of an IPv6 socket count as IPv4. */
function clientBytes(address: string): string {
  const bytes = addressBytes(address);
  return bytes.startsWith(MAPPED) ? bytes.slice(MAPPED.length) : bytes;
}

function isInside(client: string, { whom, network, bits }: AccessRule): boolean {
  if (whom !== 'network' || client.length !== network.length) return false;
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (client.charCodeAt(i) !== network.charCodeAt(i)) return false;
  const rest = 8 - (bits & 7);
  return rest === 8 || client.charCodeAt(whole) >> rest === network.charCodeAt(whole) >> rest;
}

function masked(address: string, bits: number): string {
  let network = '';
  for (let i = 0; i < address.length; i++) {
    const kept = Math.min(8, Math.max(0, bits - i * 8));
    network += String.fromCharCode(address.charCodeAt(i) & (0xff00 >> kept) & 0xff);
  }
  return network;
}
