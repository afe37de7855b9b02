/** Where to connect: TCP or a unix socket. */
export type PeerAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly family: 4 | 6 }
  | { readonly kind: 'unix'; readonly path: string };

/** As `$upstream_addr` prints it: `127.0.0.1:8080`, `[::1]:80`, `unix:/run/x.sock`. */
export function addressText(address: PeerAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return address.family === 6 ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
