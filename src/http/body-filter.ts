import type { ClientStream } from './client-stream.ts';
import type { Exchange } from './exchange.ts';
import { FilteredStream } from './filtered-stream.ts';

/** Where a body goes next: another filter or the client's stream. Each call means what it means in `ClientStream`. */
export type BodyTarget = Pick<ClientStream, 'sendBody' | 'flush' | 'endBody'>;

/** A filter's way to its neighbours. Once the response is over it does nothing, so late results of other threads are harmless. */
export interface BodyFilterLink extends BodyTarget {
  /** Whoever fills this filter may go on. Only after `sendBody` or `flush` of the filter returned false, and never from within them. */
  resume(): void;
  /** The body can't be made: logs `reason` as an error, stops whoever fills it and closes the client's connection. The caller does nothing more. */
  fail(reason: string): void;
}

/**
 * Changes the body of one response on its way to the client; made for this response and used up by it.
 *
 * - `sendBody`: `chunk` may be passed on as it is, or in parts; kept only while this filter says false. What is passed on must stay
 *   unchanged when the next one says false; so must this filter say false then, unless it passed on bytes of its own.
 * - `flush`: whoever fills it has nothing more for now. What can be made of the bytes so far goes on, then `link.flush()`.
 * - `endBody`: the rest, then `link.endBody`, now or later. Exactly once, perhaps before what `sendBody` said false to is worked off.
 */
export interface BodyFilter extends BodyTarget {
  /** `link.sendBody` or `link.flush` had returned false: the next one takes bytes again. Mostly `link.resume()`. */
  onWritable(): void;
  /** The response is over, whole or not, the client perhaps gone: lets go of everything. Exactly once, last. */
  close(): void;
}

export type MakeBodyFilter = (link: BodyFilterLink) => BodyFilter;

/**
 * For header filters: the body of this response goes through a filter as well. The one added first gets the bytes first.
 * Not made where there is no body (HEAD, 204, 304, 101) or nobody wants it (subrequests). A filter that changes the length calls `changesLength` too.
 */
export function addBodyFilter(ex: Exchange, make: MakeBodyFilter): void {
  // Nobody reads the body of a subrequest.
  if (ex.subrequest !== null) return;
  ex.filtered ??= new FilteredStream(ex);
  ex.filtered.add(make);
}

/** The length is not known any more, and parts of the whole are not to be had: no Content-Length, no Accept-Ranges, no ranges. */
export function changesLength({ response }: Exchange): void {
  response.contentLength = -1;
  response.part = null;
  response.drop('accept-ranges');
}

/** An entity tag holds for these bytes only: of a body that means the same in other bytes it is a weak one (RFC 9110 section 8.8.1). */
export function weakenEtag({ response }: Exchange): void {
  const tag = response.get('etag');
  if (tag === null || tag.startsWith('W/')) return;
  response.drop('etag');
  if (tag.startsWith('"')) response.add('ETag', `W/${tag}`);
}
