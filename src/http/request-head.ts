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
  /** Host from the Host field or the absolute form, without port, lower case; '' when absent. */
  host = '';
  /** `$request`: the request line as sent, without CRLF. */
  line = '';
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

  reset(): void {
    this.method = '';
    this.target = '';
    this.version = 11;
    this.host = '';
    this.line = '';
    this.headers.reset();
    this.framing = 'none';
    this.contentLength = -1;
    this.keepAlive = false;
    this.expectContinue = false;
    this.upgrade = false;
    this.headBytes = 0;
  }
}
