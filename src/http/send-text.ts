import { respondStatus } from './error-response.ts';
import type { Exchange } from './exchange.ts';
import { contentTypeOf } from './mime-type.ts';
import { checkConditions } from './preconditions.ts';
import { sendResponseHead, sendWhole } from './send-response.ts';

const NO_BYTES = new Uint8Array(0);

/**
 * Answers with a text, and reads and drops the request's body. `type` null: what is set already, else by the uri's extension, else
 * `default_type`. A body that is seen to be malformed is answered with 400 instead.
 */
export function sendText(ex: Exchange, status: number, type: string | null, text: string): void {
  if (!dropBody(ex)) return;
  const { response } = ex;
  response.status = status;
  // A peer that sent the request here (X-Accel-Redirect) may have said the type already.
  if (type !== null) response.contentType = type;
  else if (response.contentType === '') response.contentType = contentTypeOf(ex);
  const condition = checkConditions(ex);
  if (condition === 'failed') {
    respondStatus(ex, 412);
    return;
  }
  if (condition === 'not-modified') {
    response.status = 304;
    response.contentType = '';
    sendResponseHead(ex);
    ex.stream.endBody(null);
    return;
  }
  sendWhole(ex, text === '' ? NO_BYTES : Buffer.from(text, 'latin1'));
}

/**
 * Reads and drops the request's body for a response that is sent without it; who waits for 100 Continue gets it.
 * False: what has come of it is malformed, and `ex` is answered with 400.
 */
export function dropBody(ex: Exchange): boolean {
  const { request, stream } = ex;
  if (request.framing === 'none' && !request.expectContinue) return true;
  if (stream.discardBody(ex.errorStatus === 0)) return true;
  ex.location.errorLog.write('error', ex, 'client sent invalid chunked body');
  respondStatus(ex, 400);
  return false;
}
