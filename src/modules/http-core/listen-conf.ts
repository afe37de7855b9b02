import type { SourcePos } from '../../config/tree.ts';
import type { ListenAddress } from '../../net/listen-address.ts';

/** One address of one `listen`. */
export interface ListenConf {
  readonly address: ListenAddress;
  /** `*`, `0.0.0.0` or `[::]`: all addresses of the machine. */
  readonly isWildcard: boolean;
  /** `default_server`. */
  readonly isDefault: boolean;
  /** It sets options of the socket (`backlog=`, `reuseport` …), which one `listen` of an address may do. */
  readonly hasOptions: boolean;
  /** It gets a socket of its own even beside a wildcard of the same port. */
  readonly isBind: boolean;
  /** `proxy_protocol`: holds for the address, whichever server says so. */
  readonly hasProxyProtocol: boolean;
  /** `ssl`: as well. */
  readonly isTls: boolean;
  /** `http2`: as well. */
  readonly hasHttp2: boolean;
  readonly pos: SourcePos | null;
}
