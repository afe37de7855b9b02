import { errorPageBody, wireStatus } from './error-pages.ts';
import type { Exchange } from './exchange.ts';
import { sendWhole } from './send-response.ts';
import { wantsPadding } from './user-agent.ts';

/** nginx's `return 444` and its own 408 and 499: the connection closes without an answer; the log has the status. */
const SILENT = [408, 444, 499];

/** After these nothing more is read from the client. */
const CLOSING = [400, 413, 414, 495, 496, 497, 500, 501];

/**
 * Answers `ex` with `status` and nginx's page for it, or as the location's `error_page` says. Ends the exchange.
 * Fields already in `ex.response.added` (`Location`, `WWW-Authenticate`) go out with it. After the head has gone it aborts.
 */
export function respondStatus(ex: Exchange, status: number): void {
  const { stream, response, location } = ex;
  ex.content = null;
  if (stream.isHeadSent) {
    stream.abort();
    return;
  }
  if (SILENT.includes(status)) {
    response.status = status;
    ex.keepAlive = false;
    stream.abort();
    return;
  }
  // 1. The connection, and what a peer's answer has left behind.
  if (CLOSING.includes(status)) ex.keepAlive = false;
  ex.errorStatus = status;
  response.passed = null;
  if (response.ownCoding !== '') response.setCoding('');
  response.statusLine = '';
  response.contentType = '';
  response.date = '';
  response.server = '';
  // 2. error_page.
  if (location.errorPage?.(ex, status) === true) return;
  // 3. The page.
  sendStatusPage(ex, status);
}

/** nginx's own page for `status`, without a look at `error_page`. Ends the exchange. */
export function sendStatusPage(ex: Exchange, status: number): void {
  const { stream, response, location } = ex;
  if (ex.request.framing !== 'none') stream.discardBody();
  const isPadded =
    location.core.msiePadding && status >= 400 && ex.request.version >= 10 && wantsPadding(ex.request.headers);
  const body = errorPageBody(status, location.core.serverTokens, isPadded);
  response.status = wireStatus(status);
  ex.errorStatus = response.status;
  response.contentType = body.length > 0 ? 'text/html' : '';
  response.lastModified = '';
  response.lastModifiedSec = -1;
  response.part = null;
  response.remove('etag');
  response.isOpaque = false;
  sendWhole(ex, body);
}

/** What is left of the request's body is read and dropped; from here on the request has none. */
export function dropRequestBody(ex: Exchange): void {
  const { request, stream } = ex;
  if (request.framing === 'none') return;
  stream.discardBody();
  request.framing = 'none';
  request.contentLength = 0;
}

/** Redirects to `location` as given (see `locationValue` for paths). Ends the exchange. */
export function respondRedirect(ex: Exchange, status: number, location: string): void {
  ex.response.add('Location', location);
  respondStatus(ex, status);
}
