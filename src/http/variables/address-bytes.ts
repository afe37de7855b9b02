/** `$binary_remote_addr`: the address in network order as a byte string, 4 bytes for IPv4, 16 for IPv6. '' for what is no address. */
export function addressBytes(address: string): string {
  if (!address.includes(':')) return ipv4Bytes(address);
  const zoneAt = address.indexOf('%');
  const plain = zoneAt < 0 ? address : address.slice(0, zoneAt);
  const [head = '', tail] = plain.split('::');
  const first = groupBytes(head);
  if (tail === undefined) return first;
  const last = groupBytes(tail);
  return first + '\0'.repeat(Math.max(0, 16 - first.length - last.length)) + last;
}

function ipv4Bytes(address: string): string {
  const parts = address.split('.');
  return parts.length === 4 ? String.fromCharCode(...parts.map(Number)) : '';
}

function groupBytes(groups: string): string {
  if (groups === '') return '';
  let bytes = '';
  for (const group of groups.split(':')) {
    if (group.includes('.')) {
      bytes += ipv4Bytes(group);
    } else {
      const number = Number.parseInt(group, 16);
      bytes += String.fromCharCode(number >> 8, number & 0xff);
    }
  }
  return bytes;
}
