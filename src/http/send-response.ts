import type { Exchange } from './exchange.ts';
import { paceOf } from './limit-rate.ts';
import { PacedBody } from './paced-body.ts';

const HEAD = 'HEAD';

/**
 * Runs the location's header filters on `ex.response` and hands it to the stream. Every final response goes through here,
 * the proxied ones too; afterwards `ex.isHeadOnly` says whether a body may follow, which goes to `ex.stream`: the body filters have
 * taken their place there. `ex.response.part` is null when it is not a part that is sent.
 */
export function sendResponseHead(ex: Exchange): void {
  filterHead(ex);
  sendFilteredHead(ex);
}

/** The first half of `sendResponseHead`: for who decides only then whether it is this response that is sent. */
export function filterHead(ex: Exchange): void {
  const response = ex.response;
  if (ex.errorStatus !== 0) {
    response.status = ex.errorStatus;
    response.statusLine = '';
  }
  const status = response.status;
  // nginx leaves a peer's 204 as it came.
  if (status === 204 && response.statusLine === '') {
    response.contentType = '';
    response.contentLength = -1;
    response.lastModified = '';
  }
  if (status === 204 || status === 304 || ex.request.method === HEAD) ex.isHeadOnly = true;
  const { contentLength } = response;
  // What was answered before and not sent had filters of its own.
  ex.filtered = null;
  const filters = ex.location.headerFilters;
  for (let i = 0; i < filters.length; i++) filters[i]?.(ex);
  // A part of what is not sent any more.
  if (response.part !== null && response.contentLength !== contentLength) response.part = null;
}

/** The other half. */
export function sendFilteredHead(ex: Exchange): void {
  const { response, filtered } = ex;
  const { part } = response;
  if (part !== null) {
    if (part.status !== response.status) response.statusLine = '';
    response.status = part.status;
    response.contentLength = part.contentLength;
    if (part.contentType !== '') response.contentType = part.contentType;
    if (part.field !== null) response.add(...part.field);
  }
  // As in nginx: what stands in for something else has no time of its own.
  const isTimed = response.status === 200 || response.status === 206 || response.status === 304;
  if (response.lastModifiedSec >= 0 && !isTimed) response.lastModified = '';
  ex.stream.sendHead(ex);
  if (filtered === null) return;
  if (ex.isHeadOnly || response.status < 200) ex.filtered = null;
  else filtered.open();
}

/** Sends a complete response, at `limit_rate`: head from `ex.response`, whose contentLength is set here, and the body. Ends the exchange. */
export function sendWhole(ex: Exchange, body: Uint8Array): void {
  ex.response.contentLength = body.length;
  sendUnmeasured(ex, body);
}

/** As `sendWhole`, with the contentLength that is set already: none where nginx sends none. */
export function sendUnmeasured(ex: Exchange, body: Uint8Array): void {
  sendResponseHead(ex);
  const stream = ex.stream;
  if (!ex.isHeadOnly && body.length > 0) {
    const pace = paceOf(ex);
    if (pace !== null) {
      new PacedBody(ex, body, pace);
      return;
    }
    stream.sendBody(body);
  }
  stream.endBody(null);
}
