import { clearArray } from '../core/clear-array.ts';
import type { ProxyError } from '../core/errors.ts';
import type { TunnelEnd, TunnelSink } from './client-stream.ts';
import type { HeaderBlock } from './header-block.ts';
import type { UpstreamResponseHead } from './upstream-response-head.ts';

/**
 * A request as it goes to a peer, before it is written in the peer's protocol.
 * Fields come from `added` (proxy_set_header) first, then the client's own (`passed`, those whose `skip` is 0).
 */
export class UpstreamRequest {
  method = '';
  /** Request target (path and query). */
  target = '';
  /** 20: written as HTTP/2 by a connection that speaks it. */
  version: 10 | 11 | 20 = 11;
  /** Pairs: name, value, … `Host`, `Connection`, `Content-Length`, `Transfer-Encoding` included where they are to be sent. */
  readonly added: string[] = [];
  passed: HeaderBlock | null = null;
  /** 1 = field of `passed` is not sent; as long as `passed.count`. */
  skip: Uint8Array = new Uint8Array(32);
  /** Body is sent in chunks by the connection (`Transfer-Encoding: chunked` stands in `added`). */
  isChunked = false;
  /** `Upgrade` stands in `added`: the peer may answer 101. */
  asksUpgrade = false;

  reset(): void {
    this.method = '';
    this.target = '';
    this.version = 11;
    clearArray(this.added);
    this.passed = null;
    this.isChunked = false;
    this.asksUpgrade = false;
  }

  /** All of `passed` is sent again but what the caller then marks. */
  pass(block: HeaderBlock): void {
    this.passed = block;
    if (this.skip.length < block.count) this.skip = new Uint8Array(block.ids.length);
    else this.skip.fill(0, 0, block.count);
  }
}

/** What happens on a leased connection. Every callback may release or destroy the connection. */
export interface UpstreamResponseSink {
  /** Where the connection puts the response's head: the sink's own, so that it outlives the lease. */
  readonly responseHead: UpstreamResponseHead;
  /** A 1xx other than 101. */
  onInformational(head: UpstreamResponseHead): void;
  /** The final head (also 101: then `openTunnel`). */
  onResponseHead(head: UpstreamResponseHead): void;
  /** Body bytes, framing removed. The view stays unchanged until `resumeResponse` when the sink called `pauseResponse` during this call; else it is valid during the call only. */
  onResponseData(chunk: Buffer): void;
  /** All bytes of this read were delivered and the response goes on: what is held back (a head) may go out. Not called when the response ended with the read. */
  onResponsePause(): void;
  /** Whole response read. The connection may now be `release`d. */
  onResponseEnd(trailers: HeaderBlock | null): void;
  /** Connect, write, read or parse failed, or the named timeout passed. The connection is already destroyed. */
  onUpstreamError(error: ProxyError): void;
  /** Request bytes that were waiting are gone: more may be written. */
  onRequestWritable(): void;
}

/** One leased connection to a peer; the same for h1, h2 and TLS. */
export interface UpstreamConnection {
  /** True when it came from the keepalive pool. */
  readonly isReused: boolean;
  /** Requests sent on it, the present one included. */
  readonly requests: number;
  /** Bytes received and sent for the present request (`$upstream_bytes_received`, `$upstream_bytes_sent`). */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** More came behind the response's end than its length said. */
  readonly isOverlong: boolean;
  /** Any byte of the present request reached the socket. */
  readonly isRequestSent: boolean;

  /** Milliseconds: longest silence while writing the request / reading the response. */
  setTimeouts(sendTimeoutMs: number, readTimeoutMs: number): void;
  /** Largest response head, in bytes (`proxy_buffer_size`). */
  setMaxHeadBytes(bytes: number): void;

  /**
   * Writes head and, in the same write, `body` when given. `isLast`: no more body follows.
   * False: bytes are waiting; send no more before `onRequestWritable`. `body` must stay unchanged until then.
   */
  sendRequest(request: UpstreamRequest, body: Uint8Array | null, isLast: boolean, sink: UpstreamResponseSink): boolean;
  sendBody(chunk: Uint8Array, isLast: boolean): boolean;

  pauseResponse(): void;
  resumeResponse(): void;
  /**
   * During `onResponseData` only: the chunk's buffer becomes the sink's and stays unchanged for ever; the connection goes on reading into another.
   * False: cannot; pause instead.
   */
  detachResponse(): boolean;

  openTunnel(tunnel: TunnelSink): TunnelEnd;

  /** Whether it can carry another request: response complete and persistent, request fully sent, nothing unread. */
  readonly isReusable: boolean;
  /** Gives it back: to the pool when reusable and there is room, else closed. Exactly once per lease. */
  release(): void;
  /** Closes it at once. Ends the lease. */
  destroy(): void;
}
