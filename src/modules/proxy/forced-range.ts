import { type ByteRange, parseByteRange } from '../../http/byte-range.ts';
import type { Exchange } from '../../http/exchange.ts';
import { HEADER_ID } from '../../http/known-header.ts';

/** `proxy_force_ranges`: what of a whole response is asked for. Null: all of it. 'unsatisfiable': to be answered with 416. */
export function cutRange(ex: Exchange): ByteRange | 'unsatisfiable' | null {
  const { response, request } = ex;
  if (response.status !== 200 || response.contentLength < 0) return null;
  const at = request.headers.find(HEADER_ID.range);
  const asked =
    at < 0 || !isStillTheSame(ex) ? null : parseByteRange(request.headers.value(at), response.contentLength);
  if (asked === null) {
    const field = response.get('accept-ranges') === null ? (['Accept-Ranges', 'bytes'] as const) : null;
    response.part = { status: 200, contentLength: response.contentLength, contentType: '', field };
    return null;
  }
  if (asked === 'none') {
    response.add('Content-Range', `bytes */${response.contentLength}`);
    keepFields(ex);
    return 'unsatisfiable';
  }
  response.drop('accept-ranges');
  const field = ['Content-Range', `bytes ${asked.start}-${asked.end}/${response.contentLength}`] as const;
  response.part = { status: 206, contentLength: asked.end - asked.start + 1, contentType: '', field };
  return asked;
}

/** `If-Range`: the entity tag or the date of what the client has. */
function isStillTheSame(ex: Exchange): boolean {
  const at = ex.request.headers.find(HEADER_ID['if-range']);
  if (at < 0) return true;
  const said = ex.request.headers.value(at);
  return said === ex.response.get(said.endsWith('"') ? 'etag' : 'last-modified');
}

/** nginx's 416 keeps the fields of the response that it stands for. */
function keepFields(ex: Exchange): void {
  const { passed } = ex.response;
  if (passed === null) return;
  for (let i = 0; i < passed.count; i++) {
    const isAboutBody = /^(content-|transfer-encoding|connection|date|server|last-modified)/i.test(passed.name(i));
    if (passed.hidden[i] === 0 && !isAboutBody) ex.response.add(passed.name(i), passed.value(i));
  }
}
