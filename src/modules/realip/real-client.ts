import type { ClientConnection } from '../../http/client-stream.ts';

/**
 * A connection as a request sees it once it is known for whom the proxy in front of us speaks: everything of it is the proxy's but the
 * client's address and port. Only for the one request; the next one begins with the connection itself.
 */
export class RealClient implements ClientConnection {
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** What was accepted. */
  readonly behind: ClientConnection;
  /** The client is no longer one of a unix socket. */
  readonly unixPath = '';

  constructor(behind: ClientConnection, address: string, port: number) {
    this.behind = behind;
    this.remoteAddress = address;
    this.remotePort = port;
  }

  get id(): number {
    return this.behind.id;
  }

  get localAddress(): string {
    const { unixPath } = this.behind;
    return unixPath === '' ? this.behind.localAddress : `unix:${unixPath}`;
  }

  get localPort(): number {
    return this.behind.localPort;
  }

  get isTls(): boolean {
    return this.behind.isTls;
  }

  get tls(): ClientConnection['tls'] {
    return this.behind.tls;
  }

  get proxyProtocol(): ClientConnection['proxyProtocol'] {
    return this.behind.proxyProtocol;
  }

  get acceptedAtMs(): number {
    return this.behind.acceptedAtMs;
  }

  get requests(): number {
    return this.behind.requests;
  }

  set requests(count: number) {
    this.behind.requests = count;
  }
}
