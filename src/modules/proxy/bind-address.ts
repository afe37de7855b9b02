import { isIP, isIPv4 } from 'node:net';

const MAX_PORT = 65_535;

/** Where connections to the peer come from. Port 0: any. */
export interface BindAddress {
  readonly address: string;
  readonly port: number;
}

/** `ADDRESS`, `ADDRESS:PORT`, `[IPV6]:PORT`, as nginx reads `proxy_bind`; null when it is none. */
export function parseBindAddress(text: string): BindAddress | null {
  if (isIP(text) !== 0) return { address: text, port: 0 };
  const match = /^(?:\[(?<v6>.*)\]|(?<v4>[^:]*)):(?<port>\d+)$/.exec(text);
  const { v6, v4 = '', port = '' } = match?.groups ?? {};
  const isAddress = v6 === undefined ? isIPv4(v4) : isIP(v6) === 6;
  const number = Number(port);
  return isAddress && number >= 1 && number <= MAX_PORT ? { address: v6 ?? v4, port: number } : null;
}
