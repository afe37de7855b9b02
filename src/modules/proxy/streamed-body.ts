import type { ProxyError } from '../../core/errors.ts';
import type { BodySink, ClientStream } from '../../http/client-stream.ts';
import type { HeaderBlock } from '../../http/header-block.ts';
import type { UpstreamConnection } from '../../http/upstream-connection.ts';

const NOTHING = new Uint8Array(0);

export interface StreamedBodyOwner {
  onBodyFailed(error: ProxyError): void;
}

/** A request's body on its way to a peer as it comes (`proxy_request_buffering off`), with back-pressure. */
export class StreamedBody implements BodySink {
  readonly #owner: StreamedBodyOwner;
  #stream: ClientStream | null = null;
  #connection: UpstreamConnection | null = null;
  #isPaused = false;
  /** Something of it was read: it cannot be sent to another peer. */
  isBegun = false;

  constructor(owner: StreamedBodyOwner) {
    this.#owner = owner;
  }

  begin(stream: ClientStream, connection: UpstreamConnection, maxBytes: number): void {
    this.#stream = stream;
    this.#connection = connection;
    this.#isPaused = false;
    this.isBegun = true;
    stream.readBody(this, maxBytes);
  }

  /** The peer's connection has room again. */
  onWritable(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#stream?.resumeBody();
  }

  /** The peer wants no more of it: the rest is dropped. */
  stop(): void {
    const stream = this.#stream;
    this.#stream = null;
    this.#connection = null;
    stream?.discardBody();
  }

  onBodyData(chunk: Buffer): void {
    // The view is valid during this call only, and the connection may keep it until it is writable.
    if (this.#connection === null || this.#connection.sendBody(Buffer.from(chunk), false)) return;
    this.#isPaused = true;
    this.#stream?.pauseBody();
  }

  onBodyEnd(_trailers: HeaderBlock | null): void {
    const connection = this.#connection;
    this.#stream = null;
    this.#connection = null;
    connection?.sendBody(NOTHING, true);
  }

  onBodyError(error: ProxyError): void {
    if (this.#connection === null) return;
    this.#stream = null;
    this.#connection = null;
    this.#owner.onBodyFailed(error);
  }
}
