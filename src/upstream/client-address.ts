import { NO_ADDRESS } from '../policy/pick-state.ts';

/** Where addresses are written, to allocate none: 3 and 16 bytes. */
export interface AddressRoom {
  readonly ipv4Bytes: Uint8Array;
  readonly ipv6Bytes: Uint8Array;
}

/** Bytes of a client's address that `ip_hash` reads: the /24 of IPv4, all of IPv6, zeros for a unix socket. */
export function clientAddressBytes(address: string, { ipv4Bytes, ipv6Bytes }: AddressRoom): Uint8Array {
  if (address.includes(':')) return isIPv6Written(address, ipv6Bytes) ? ipv6Bytes : NO_ADDRESS;
  let at = 0;
  let value = 0;
  for (let i = 0; i < address.length && at < 3; i++) {
    const code = address.charCodeAt(i);
    if (code === 0x2e) {
      ipv4Bytes[at++] = value;
      value = 0;
    } else if (code >= 0x30 && code <= 0x39) {
      value = value * 10 + code - 0x30;
    } else {
      return NO_ADDRESS;
    }
  }
  return at === 3 ? ipv4Bytes : NO_ADDRESS;
}

/** RFC 4291 text to 16 bytes; a dotted tail is understood. False when it is no address. */
function isIPv6Written(address: string, room: Uint8Array): boolean {
  const zone = address.indexOf('%');
  const text = zone < 0 ? address : address.slice(0, zone);
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const head = groupsOf(halves[0] ?? '');
  const tail = groupsOf(halves[1] ?? '');
  if (head === null || tail === null) return false;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 0) return false;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  for (const [i, group] of groups.entries()) {
    room[i * 2] = group >>> 8;
    room[i * 2 + 1] = group & 0xff;
  }
  return true;
}

function groupsOf(text: string): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  for (const part of text.split(':')) {
    if (part.includes('.')) {
      const bytes = part.split('.').map(Number);
      const [a, b, c, d] = bytes;
      if (a === undefined || b === undefined || c === undefined || d === undefined || bytes.length !== 4) return null;
      groups.push((a << 8) | b, (c << 8) | d);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return null;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}
