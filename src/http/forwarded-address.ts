import { isInNetwork, type Network, parseAddressPort, unmapped } from './network.ts';

/**
 * The address for which trusted proxies speak: nginx's ngx_http_get_forwarded_addr. `address`: bytes of who speaks; `fields`: the values
 * of the X-Forwarded-For fields in their order. Without `isRecursive` the last address of the last field counts, otherwise the last one
 * that is not a trusted proxy's. The address itself when it is not trusted or nothing useful was said.
 */
export function forwardedAddress(
  address: string,
  fields: readonly string[],
  trusted: readonly Network[],
  isRecursive: boolean,
): string {
  let speaker = address;
  for (let i = fields.length - 1; i >= 0; i--) {
    const said = (fields[i] ?? '').split(/[ ,]+/).filter((part) => part !== '');
    for (let n = said.length - 1; n >= 0; n--) {
      const client = unmapped(speaker);
      if (!trusted.some((network) => isInNetwork(client, network))) return speaker;
      const next = parseAddressPort(said[n] ?? '');
      if (next === null) return speaker;
      speaker = next;
      if (!isRecursive) return speaker;
    }
    if (!isRecursive) return speaker;
  }
  return speaker;
}
