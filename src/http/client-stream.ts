import type { ProxyError } from '../core/errors.ts';
import type { Exchange } from './exchange.ts';
import type { HeaderBlock } from './header-block.ts';
import type { ProxyProtocol } from './proxy-protocol.ts';
import type { ClientTls } from './tls.ts';

/** The client's connection, as requests and variables see it. */
export interface ClientConnection {
  /** `$connection`: serial number, unique in this worker. */
  readonly id: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Path of the listening socket for a unix one; ''. */
  readonly unixPath: string;
  /** It is encrypted. */
  readonly isTls: boolean;
  /** Null: the port is none of TLS. */
  readonly tls: ClientTls | null;
  /** What its PROXY protocol header said; null: it has none, or one that says nothing. */
  readonly proxyProtocol: ProxyProtocol | null;
  /** Instant of the accept (`nowMs()` scale), for keepalive_time and `$connection_time`. */
  readonly acceptedAtMs: number;
  /** `$connection_requests`: requests made so far, the present one included. */
  requests: number;
}

/** Receives the request's body. Chunks are views that are valid during the call only. */
export interface BodySink {
  onBodyData(chunk: Buffer): void;
  /** Whole body delivered; `trailers` are those of a chunked body. */
  onBodyEnd(trailers: HeaderBlock | null): void;
  /** Malformed chunking, over the limit, timeout or the client went away. */
  onBodyError(error: ProxyError): void;
}

/**
 * The client's side of one exchange: reads its body, writes its response. Implemented by h1 (and later h2).
 *
 * Order of calls: `sendHead`, then `sendBody` any number of times, then `endBody`; or `openTunnel` after a 101 head.
 * After `endBody` (or `abort`) the exchange is finished by the stream: log phase, counters, reset; the caller must not touch it any more.
 */
export interface ClientStream {
  /** Head went out (or is on its way): no retry and no other status from here on. */
  readonly isHeadSent: boolean;

  /** Writes an interim response (100 is the stream's own business; 103 comes here) at once. */
  sendInformational(status: number, fields: HeaderBlock): void;

  /** Serialises `ex.response`. The bytes are held back until the first body bytes, `flush` or `endBody`, so that both go in one write. */
  sendHead(ex: Exchange): void;

  /**
   * Body bytes. The stream does not copy: `chunk` must stay unchanged until the call returned true or `ex.onWritable` ran.
   * False: bytes are waiting in the socket; send no more before `ex.onWritable`.
   */
  sendBody(chunk: Uint8Array): boolean;

  /** Pushes out a held-back head. */
  flush(): boolean;

  /** The body is complete (`trailers`: flat name/value pairs or null). Ends the exchange. */
  endBody(trailers: HeaderBlock | null): void;

  /** The response cannot be completed: closes the connection so that the client sees a truncated body. Ends the exchange. */
  abort(): void;

  /** Bytes accepted for sending and not yet taken by the kernel. */
  readonly pendingBytes: number;

  /** Starts (or goes on with) delivering the request's body. `maxBytes` bounds a chunked one (client_max_body_size; 0 = none): 413. */
  readBody(sink: BodySink, maxBytes: number): void;
  pauseBody(): void;
  resumeBody(): void;
  /**
   * Reads and drops what is left of the body, within lingering limits, when the response is sent. `saysContinue`: a client that waits for
   * 100 Continue gets it and the connection lives on; without, the connection closes, since nobody can know whether the body still comes.
   * False: what has come of it already is malformed.
   */
  discardBody(saysContinue?: boolean): boolean;

  /**
   * After a 101 head: raw bytes both ways. `onData` gets views valid during the call only; `onEnd` once, at FIN or failure.
   * Bytes that the client sent behind its head come first.
   */
  openTunnel(tunnel: TunnelSink): TunnelEnd;
}

export interface TunnelSink {
  onTunnelData(chunk: Buffer): void;
  /** The other end may write again. */
  onTunnelWritable(): void;
  /** This side ended: `error` is null for an orderly FIN. */
  onTunnelEnd(error: ProxyError | null): void;
}

/** One end of a tunnel, for writing. */
export interface TunnelEnd {
  /** Same contract as `sendBody`; false = wait for `onTunnelWritable`. */
  write(chunk: Uint8Array): boolean;
  pause(): void;
  resume(): void;
  /** Closes it (FIN), after what is pending. */
  end(): void;
  destroy(): void;
}
