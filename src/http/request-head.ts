import { HeaderBlock } from './header-block.ts';

/** How the length of a message body is known (RFC 9112 section 6). */
export const BODY_FRAMING = ['none', 'length', 'chunked', 'until-close'] as const;
export type BodyFraming = (typeof BODY_FRAMING)[number];

/** Version of the request line times ten: 0.9 is 9, 1.1 is 11, HTTP/2 is 20. */
export type HttpVersion = 9 | 10 | 11 | 20;

/**
 * A request's head as the protocol engine understood it; the same for HTTP/1 and HTTP/2.
 * Reused from request to request: whoever keeps something copies it.
 */
export class RequestHead {
  method = '';
  /** Request target exactly as sent (origin form: with the query). `$request_uri`. */
  target = '';
  version: HttpVersion = 11;
  /**
   * Authority of the absolute form, else the Host field's value, as sent; null when there is neither.
   * `beginExchange` (http/phases) validates it and puts the lower-case name without port into `ex.host`.
   */
  rawHost: string | null = null;
  /** `rawHost` of the request before this one: most clients say the same, and the same bytes need no new string. */
  lastHost = '';
  /** Where the request line lies in `headers.bytes`, without its line end. */
  lineStart = 0;
  lineEnd = 0;
  readonly headers = new HeaderBlock();
  framing: BodyFraming = 'none';
  /** Body length in bytes for framing 'length'; else -1. */
  contentLength = -1;
  /** Whether the client asked for (or its version implies) a persistent connection. */
  keepAlive = false;
  expectContinue = false;
  /** `Connection` names `upgrade` and there is an `Upgrade` field. */
  upgrade = false;
  /** Bytes of the head on the wire. */
  headBytes = 0;

  /** `$request`: the request line as sent. */
  get line(): string {
    return this.headers.bytes.toString('latin1', this.lineStart, this.lineEnd);
  }

  reset(): void {
    this.method = '';
    this.target = '';
    this.version = 11;
    this.rawHost = null;
    this.lineStart = 0;
    this.lineEnd = 0;
    this.headers.reset();
    this.framing = 'none';
    this.contentLength = -1;
    this.keepAlive = false;
    this.expectContinue = false;
    this.upgrade = false;
    this.headBytes = 0;
  }
}
