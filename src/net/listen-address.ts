/** One listening address as the `listen` directives have it, all that opening its socket needs. */
export interface ListenAddress {
  /** nginx's text, also its key: `0.0.0.0:80`, `[::]:80`, `unix:/run/a.sock`. */
  readonly text: string;
  readonly family: 'inet' | 'inet6' | 'unix';
  /** Numeric address; '' for a unix socket. */
  readonly host: string;
  readonly port: number;
  /** Path of a unix socket; ''. */
  readonly path: string;
  /** Default 511. */
  readonly backlog: number;
  /** `ipv6only=`, default on. */
  readonly isIpv6Only: boolean;
  /** A socket per worker: the kernel spreads connections over them. */
  readonly isReusePort: boolean;
}

/** A bound socket that the primary hands to the workers; `Acceptor.listen` takes it. Node's own TCP or Pipe handle. */
export interface ListenHandle {
  readonly fd: number;
}
