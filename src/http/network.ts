import { isIPv4, isIPv6 } from 'node:net';
import { parseInteger } from '../config/parse-value.ts';
import { addressBytes } from './variables/address-bytes.ts';

/** A network: `10.0.0.0/8`, `2001:db8::/32`, or a single address. */
export interface Network {
  /** Its first address in network order, 4 or 16 bytes. */
  readonly network: string;
  /** Length of the prefix that must agree. */
  readonly bits: number;
}

export interface ParsedNetwork extends Network {
  /** The address as written has bits behind the prefix, which say nothing. */
  readonly hasLowBits: boolean;
}

const MAPPED = `${'\0'.repeat(10)}\xff\xff`;

/** An address that inet_addr() can't tell from a failure: nginx refuses it as a network. */
const BROADCAST = '\xff\xff\xff\xff';

/** Address or CIDR; null when it is neither. */
export function parseNetwork(text: string): ParsedNetwork | null {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === null || address === BROADCAST) return null;
  const bits = slash < 0 ? address.length * 8 : parseInteger(text.slice(slash + 1));
  if (bits === null || bits > address.length * 8) return null;
  const network = maskedAddress(address, bits);
  return { network, bits, hasLowBits: network !== address };
}

/** Bytes of an IPv4 or IPv6 address without port or brackets; null when it is none. */
export function parseAddress(text: string): string | null {
  return isIPv4(text) || (isIPv6(text) && !text.includes('%')) ? addressBytes(text) : null;
}

/** Bytes of a client's address: IPv4 clients of an IPv6 socket count as IPv4. */
export function clientBytes(address: string): string {
  return unmapped(addressBytes(address));
}

/** `::ffff:1.2.3.4` as the IPv4 address that it stands for. */
export function unmapped(address: string): string {
  return address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address;
}

/** `address`: bytes in network order. */
export function isInNetwork(address: string, { network, bits }: Network): boolean {
  if (address.length !== network.length) return false;
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (address.charCodeAt(i) !== network.charCodeAt(i)) return false;
  const rest = 8 - (bits & 7);
  return rest === 8 || address.charCodeAt(whole) >> rest === network.charCodeAt(whole) >> rest;
}

/** The address with everything behind the first `bits` bits zero. */
export function maskedAddress(address: string, bits: number): string {
  let network = '';
  for (let i = 0; i < address.length; i++) {
    const kept = Math.min(8, Math.max(0, bits - i * 8));
    network += String.fromCharCode(address.charCodeAt(i) & (0xff00 >> kept) & 0xff);
  }
  return network;
}
