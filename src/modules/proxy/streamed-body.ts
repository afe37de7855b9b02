import type { ProxyError } from '../../core/errors.ts';
import type { BodySink, ClientStream } from '../../http/client-stream.ts';
import type { HeaderBlock } from '../../http/header-block.ts';
import type { KeptBody } from '../../http/request-body.ts';
import type { UpstreamConnection, UpstreamRequest, UpstreamResponseSink } from '../../http/upstream-connection.ts';

export interface StreamedBodyOwner {
  /** What came along with the head is taken. */
  onBodyReady(): void;
  onBodyFailed(error: ProxyError): void;
}

/**
 * A request's body on its way to a peer as it comes (`proxy_request_buffering off`), with back-pressure.
 * What came along with the head is kept until a connection is there, so that it can still go to another peer when connecting fails.
 */
export class StreamedBody implements BodySink, KeptBody {
  readonly #owner: StreamedBodyOwner;
  #stream: ClientStream | null = null;
  #connection: UpstreamConnection | null = null;
  #early: Buffer[] = [];
  /** What came in this turn of the event loop: it goes on in one write, as one chunk, with the end when that came too. */
  #gathered: Buffer[] = [];
  #isPaused = false;
  #isOver = false;
  #earlyBytes = 0;
  /** All of it was there at once: it is sent with a length, and can be sent again. */
  isComplete = false;
  sizeBytes = 0;
  readonly fileName = '';
  /** A part of it that nobody has any more went to a peer. */
  isGone = false;

  constructor(owner: StreamedBodyOwner) {
    this.#owner = owner;
  }

  /** Takes what is there, up to about `earlyBytes`; the owner hears at the end of this turn. */
  begin(stream: ClientStream, maxBytes: number, earlyBytes: number): void {
    this.#stream = stream;
    this.#earlyBytes = earlyBytes;
    stream.readBody(this, maxBytes);
    queueMicrotask(() => {
      if (!this.#isOver) this.#owner.onBodyReady();
    });
  }

  /** True: all of it is sent. */
  send(connection: UpstreamConnection, request: UpstreamRequest, sink: UpstreamResponseSink): boolean {
    const early = this.#early.length === 0 ? null : Buffer.concat(this.#early);
    if (this.isComplete) return connection.sendRequest(request, early, true, sink);
    this.isGone = true;
    this.#early = [];
    this.#connection = connection;
    if (connection.sendRequest(request, early, false, sink)) this.onWritable();
    return false;
  }

  /** The peer's connection has room. */
  onWritable(): void {
    if (!this.#isPaused || this.#connection === null) return;
    this.#isPaused = false;
    this.#stream?.resumeBody();
  }

  /** The peer wants no more of it: the rest is dropped, unless it is kept for another peer. */
  stop(): void {
    if (!this.isGone) return;
    const stream = this.#stream;
    this.#stream = null;
    this.#connection = null;
    this.#gathered = [];
    stream?.discardBody();
  }

  onBodyData(chunk: Buffer): void {
    // The view is valid during this call only, and the connection may keep it until it is writable.
    const kept = Buffer.from(chunk);
    if (this.#stream === null) return;
    if (this.#connection === null) {
      this.#early.push(kept);
      this.sizeBytes += kept.length;
      if (this.sizeBytes >= this.#earlyBytes) this.#pause();
      return;
    }
    if (this.#gathered.push(kept) === 1) queueMicrotask(() => this.#pass(false));
  }

  onBodyEnd(_trailers: HeaderBlock | null): void {
    this.#stream = null;
    if (this.#connection === null) this.isComplete = !this.isGone;
    else this.#pass(true);
    this.#connection = null;
  }

  onBodyError(error: ProxyError): void {
    if (this.#stream === null || this.#isOver) return;
    this.#isOver = true;
    this.#stream = null;
    this.#connection = null;
    this.#owner.onBodyFailed(error);
  }

  /** The whole body where all of it came with the head; else nobody has it. */
  get text(): string | null {
    return this.isComplete && this.sizeBytes > 0 ? Buffer.concat(this.#early).toString('latin1') : null;
  }

  /** The request is over. */
  close(): void {
    this.#isOver = true;
    this.#stream = null;
    this.#connection = null;
    this.#early = [];
    this.#gathered = [];
  }

  #pass(isLast: boolean): void {
    const gathered = this.#gathered;
    const connection = this.#connection;
    if (connection === null || (gathered.length === 0 && !isLast)) return;
    this.#gathered = [];
    const bytes = gathered.length === 1 ? (gathered[0] as Buffer) : Buffer.concat(gathered);
    if (!connection.sendBody(bytes, isLast) && !isLast) this.#pause();
  }

  #pause(): void {
    this.#isPaused = true;
    this.#stream?.pauseBody();
  }
}
