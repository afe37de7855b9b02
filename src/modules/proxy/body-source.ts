import { ProxyError } from '../../core/errors.ts';
import { dropRequestBody } from '../../http/error-response.ts';
import type { Exchange } from '../../http/exchange.ts';
import { type BodyOwner, RequestBody, type WholeBody } from '../../http/request-body.ts';
import type { UpstreamConnection, UpstreamRequest, UpstreamResponseSink } from '../../http/upstream-connection.ts';
import type { ProxyLocation } from './proxy-location.ts';
import type { BodyLength } from './request-fields.ts';
import { StreamedBody } from './streamed-body.ts';

export interface BodySourceOwner extends BodyOwner, UpstreamResponseSink {
  onBodyFailed(error: ProxyError | Error): void;
}

/**
 * The body of a request to a peer, in one of four kinds: none, `proxy_set_body`'s, the client's read whole (which can be sent again),
 * or the client's as it comes.
 */
export class BodySource {
  readonly #owner: BodySourceOwner;
  readonly #spare: RequestBody;
  #fixed: Buffer | null = null;
  #whole: WholeBody | null = null;
  #streamed: StreamedBody | null = null;
  #emptyLength: 0 | 'none' = 'none';

  constructor(owner: BodySourceOwner) {
    this.#owner = owner;
    this.#spare = new RequestBody(owner);
  }

  /** Reads what is wanted before a peer is chosen. The owner's `onBodyReady` or `onBodyFailed` follows, perhaps before this returns. */
  prepare(ex: Exchange, location: ProxyLocation): void {
    const { framing, contentLength } = ex.request;
    this.#fixed = null;
    if (this.#streamed !== null) {
      this.#prepareStreamedAgain(ex, this.#streamed);
      return;
    }
    this.#emptyLength = location.passesBody && contentLength === 0 ? 0 : 'none';
    // A second proxied location (X-Accel-Redirect) sends the body that the first one has read.
    this.#whole?.rewind();
    if (ex.readBody !== null) {
      this.#whole ??= ex.readBody.reader();
      this.#owner.onBodyReady();
      return;
    }
    // As nginx: whoever expects 100 Continue gets it, even without a body to send.
    if (framing === 'none' && ex.request.expectContinue) ex.stream.discardBody(true);
    // An empty body that was announced is a body, for client_body_in_file_only.
    const isAbsent = framing === 'none' && (contentLength !== 0 || location.body.inFileOnly === 'off');
    if (isAbsent || this.#whole !== null || !location.readsBody) {
      this.#owner.onBodyReady();
      return;
    }
    if (
      framing === 'none' ||
      location.buffersRequest ||
      location.setBody !== null ||
      (framing === 'chunked' && location.version === 10)
    ) {
      this.#whole = this.#spare;
      ex.body = this.#spare;
      this.#spare.read(ex.stream, location.body, contentLength);
      return;
    }
    const streamed = new StreamedBody(this.#owner);
    this.#streamed = streamed;
    ex.body = streamed;
    streamed.begin(ex.stream, location.body.maxBytes, location.body.bufferBytes);
  }

  /** A second proxied location gets the body that passes through, as long as all of it is still here. */
  #prepareStreamedAgain(ex: Exchange, streamed: StreamedBody): void {
    const { method } = ex.request;
    if (streamed.isGone) {
      streamed.close();
      this.#streamed = null;
      this.#emptyLength = 'none';
      dropRequestBody(ex);
      if (method !== 'GET' && method !== 'HEAD') {
        const gone = 'client request body was sent to another upstream and is not kept';
        this.#owner.onBodyFailed(new ProxyError('internal', gone, { side: 'proxy', status: 502 }));
        return;
      }
    }
    this.#owner.onBodyReady();
  }

  /** Once ready: how long it is. */
  measure(ex: Exchange, location: ProxyLocation): BodyLength {
    if (location.setBody !== null) {
      this.#fixed = Buffer.from(location.setBody.evaluate(ex), 'latin1');
      return this.#fixed.length;
    }
    if (!location.passesBody) return 'none';
    if (this.#whole !== null) return this.#whole.sizeBytes;
    if (this.#streamed === null) return this.#emptyLength;
    if (this.#streamed.isComplete) return this.#streamed.sizeBytes;
    return ex.request.framing === 'chunked' ? 'chunked' : ex.request.contentLength;
  }

  /** Sends head and body, as far as the connection takes it. True: all of it is sent. Throws when a temporary file cannot be read. */
  send(connection: UpstreamConnection, request: UpstreamRequest, passesBody: boolean): boolean {
    if (this.#streamed !== null) return this.#streamed.send(connection, request, this.#owner);
    const whole = this.#fixed === null && passesBody ? this.#whole : null;
    if (whole === null) return connection.sendRequest(request, this.#fixed, true, this.#owner);
    const first = whole.next();
    return connection.sendRequest(request, first, whole.isSent, this.#owner) && this.#sendRest(connection, whole);
  }

  /** The connection has room again. As `send`. */
  sendMore(connection: UpstreamConnection): boolean {
    if (this.#streamed !== null) {
      this.#streamed.onWritable();
      return false;
    }
    return this.#fixed !== null || this.#whole === null || this.#sendRest(connection, this.#whole);
  }

  /** It cannot be sent again. */
  get isGone(): boolean {
    return this.#streamed?.isGone === true;
  }

  /** For another attempt. */
  rewind(): void {
    this.#whole?.rewind();
  }

  /** The peer wants no more of it. */
  stop(): void {
    this.#streamed?.stop();
  }

  close(): void {
    this.#spare.close();
    this.#fixed = null;
    this.#whole = null;
    this.#streamed?.close();
    this.#streamed = null;
  }

  #sendRest(connection: UpstreamConnection, whole: WholeBody): boolean {
    while (!whole.isSent) {
      const piece = whole.next();
      if (piece === null) break;
      if (!connection.sendBody(piece, whole.isSent)) return false;
    }
    return true;
  }
}
