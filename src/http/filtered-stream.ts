import type { BodyFilter, BodyFilterLink, MakeBodyFilter } from './body-filter.ts';
import type { BodySink, ClientStream, TunnelEnd, TunnelSink } from './client-stream.ts';
import type { Exchange, Recyclable } from './exchange.ts';
import type { HeaderBlock } from './header-block.ts';
import { PacedFilter } from './paced-filter.ts';
import type { Pace } from './rate.ts';

/**
 * The client's stream with body filters before it. Takes the stream's place in the exchange when the head was sent, and gives it back
 * when the exchange is over; so neither who fills it nor the stream knows of filters.
 *
 * ```
 * content handler  --sendBody-->  filter 0  --link 0-->  filter 1  --link 1-->  stream
 *                  <--onWritable--          <--onWritable--        <--onWritable--
 * ```
 * Invariant: `close` of every filter runs once, before the exchange serves another request.
 */
export class FilteredStream implements ClientStream, Recyclable {
  readonly #ex: Exchange;
  readonly #stream: ClientStream;
  readonly #makers: MakeBodyFilter[] = [];
  readonly #filters: BodyFilter[] = [];
  /** No more bytes come: ended, or given up. */
  #isEnded = false;
  #isOver = false;
  /** A filter gave up; who fills it may go on without its client. */
  #isFailed = false;

  constructor(ex: Exchange) {
    this.#ex = ex;
    this.#stream = ex.stream;
  }

  add(make: MakeBodyFilter): void {
    this.#makers.push(make);
  }

  /** The head was sent and a body will follow. */
  open(): void {
    const ex = this.#ex;
    ex.stream = this;
    ex.held.push(this);
    for (const [index, make] of this.#makers.entries()) this.#filters.push(make(this.#linkBehind(index)));
  }

  /** Behind all filters, before the first byte: so fast and no faster. */
  pace(pace: Pace): void {
    this.#filters.push(new PacedFilter(this.#linkBehind(this.#filters.length), pace));
  }

  /** From the stream, after `sendBody` or `flush` had returned false. */
  onWritable(): void {
    if (this.#isFailed) this.#ex.content?.onWritable();
    else if (!this.#isOver) this.#filters.at(-1)?.onWritable();
  }

  recycle(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ex.stream = this.#stream;
    this.#ex.filtered = null;
    for (const filter of this.#filters) filter.close();
  }

  // --- from the content handler

  sendBody(chunk: Uint8Array): boolean {
    if (this.#isEnded || this.#isFailed || this.#isOver) return true;
    return this.#filterAt(0).sendBody(chunk);
  }

  flush(): boolean {
    if (this.#isEnded || this.#isFailed || this.#isOver) return true;
    return this.#filterAt(0).flush();
  }

  endBody(trailers: HeaderBlock | null): void {
    if (this.#isEnded || this.#isOver) return;
    this.#isEnded = true;
    if (this.#isFailed) {
      this.#stream.abort();
      return;
    }
    // Who made the body is through with it; the filters perhaps are not.
    this.#ex.content = null;
    this.#filterAt(0).endBody(trailers);
  }

  abort(): void {
    this.#isEnded = true;
    if (!this.#isOver) this.#stream.abort();
  }

  // --- the links

  #linkBehind(index: number): BodyFilterLink {
    const target = (): BodyFilter | ClientStream => this.#filters[index + 1] ?? this.#stream;
    return {
      sendBody: (chunk) => this.#isDeaf || target().sendBody(chunk),
      flush: () => this.#isDeaf || target().flush(),
      endBody: (trailers) => {
        if (!this.#isDeaf) target().endBody(trailers);
      },
      resume: () => {
        if (this.#isDeaf) return;
        if (index > 0) this.#filters[index - 1]?.onWritable();
        else if (!this.#isEnded) this.#ex.content?.onWritable();
      },
      fail: (reason) => this.#fail(reason),
    };
  }

  /** Nothing that a filter does counts any more. */
  get #isDeaf(): boolean {
    return this.#isOver || this.#isFailed;
  }

  #filterAt(index: number): BodyFilter {
    return this.#filters[index] as BodyFilter;
  }

  #fail(reason: string): void {
    const ex = this.#ex;
    if (this.#isOver || this.#isFailed) return;
    this.#isFailed = true;
    const text = `${reason} while sending to client`;
    if (ex.content === null) ex.location.errorLog.write('error', ex, text);
    else ex.content.onClientAborted(text, null, 'error');
    // A handler that goes on without its client (proxy_ignore_client_abort) still owns the exchange: its end is the end.
    if (!this.#isOver && ex.content === null) this.#stream.abort();
  }

  // --- what filters have no part in

  get isHeadSent(): boolean {
    return this.#stream.isHeadSent;
  }

  get pendingBytes(): number {
    return this.#stream.pendingBytes;
  }

  sendInformational(status: number, fields: HeaderBlock): void {
    this.#stream.sendInformational(status, fields);
  }

  sendHead(ex: Exchange): void {
    this.#stream.sendHead(ex);
  }

  readBody(sink: BodySink, maxBytes: number): void {
    this.#stream.readBody(sink, maxBytes);
  }

  pauseBody(): void {
    this.#stream.pauseBody();
  }

  resumeBody(): void {
    this.#stream.resumeBody();
  }

  discardBody(saysContinue?: boolean): boolean {
    return this.#stream.discardBody(saysContinue);
  }

  openTunnel(tunnel: TunnelSink): TunnelEnd {
    return this.#stream.openTunnel(tunnel);
  }
}
