import type { UpstreamRequest } from '../http/upstream-connection.ts';

/** Fields that speak of an HTTP/1 connection, and `host`, which is `:authority` here (RFC 9113 section 8.2.2). */
const NOT_SENT = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'host',
]);

/**
 * A request's head in HTTP/2: pairs of name and value, pseudo-fields first. `TE` keeps its only meaning here, `trailers`.
 * `authority`: where the request says no Host.
 */
export function upstreamRequestHead(request: UpstreamRequest, scheme: 'http' | 'https', authority: string): string[] {
  const { added, passed, skip } = request;
  let host = '';
  const fields: string[] = [];
  const add = (given: string, value: string): void => {
    const name = given.toLowerCase();
    if (name === 'host' && host === '') host = value;
    if (NOT_SENT.has(name)) return;
    if (name !== 'te') fields.push(name, value);
    else if (/(^|[,\s])trailers([,;\s]|$)/i.test(value)) fields.push('te', 'trailers');
  };
  for (let i = 0; i < added.length; i += 2) add(added[i] as string, added[i + 1] as string);
  if (passed !== null) {
    for (let i = 0; i < passed.count; i++) if (skip[i] === 0) add(passed.name(i), passed.value(i));
  }
  const pseudo = [':method', request.method, ':scheme', scheme, ':authority', host === '' ? authority : host];
  return [...pseudo, ':path', request.target, ...fields];
}

/** As it counts in `$upstream_bytes_sent`: what it would be in HTTP/1. */
export function headBytesOf(fields: readonly string[]): number {
  return fields.reduce((sum, text) => sum + text.length + 2, 2);
}
