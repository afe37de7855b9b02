import { wallMs } from '../../core/clock.ts';
import { acceptsGzip } from '../../http/accept-encoding.ts';
import type { Exchange } from '../../http/exchange.ts';
import { parseHttpTime } from '../../http/http-time.ts';
import { HEADER_ID, type KnownHeader } from '../../http/known-header.ts';
import type { ResponseHead } from '../../http/response-head.ts';
import { browserOf } from '../../http/user-agent.ts';
import { type GzipConf, PROXIED } from './gzip-conf.ts';

/** What decides, beside the response itself, whether this client may get gzip. */
export type GzipRules = Pick<GzipConf, 'httpVersion' | 'proxied' | 'isMsie6Disabled' | 'disabled'>;

/** Whether the client takes gzip and `gzip_http_version`, `gzip_proxied` and `gzip_disable` let it have it. */
export function isGzipAllowed(ex: Exchange, rules: GzipRules): boolean {
  const { headers, version } = ex.request;
  const accepted = field(ex, 'accept-encoding');
  if (accepted === null || !acceptsGzip(accepted)) return false;
  if (rules.isMsie6Disabled && browserOf(headers) === 'msie6') return false;
  if (version < rules.httpVersion) return false;
  if (headers.find(HEADER_ID.via) >= 0 && !isForProxies(ex, rules.proxied)) return false;
  const { disabled } = rules;
  if (disabled === null) return true;
  const agent = field(ex, 'user-agent');
  return agent === null || !disabled.some((pattern) => pattern.test(agent));
}

function isForProxies(ex: Exchange, proxied: number): boolean {
  const { response } = ex;
  const has = (bit: number): boolean => (proxied & bit) !== 0;
  if (has(PROXIED.off)) return false;
  if (has(PROXIED.any)) return true;
  if (has(PROXIED.auth) && field(ex, 'authorization') !== null) return true;
  const expires = response.get('expires');
  if (expires !== null) return has(PROXIED.expired) && isOver(expires, response.date);
  const controls = valuesOf(response, 'cache-control');
  if (controls.length > 0) {
    const says = (word: string): boolean => controls.some((value) => hasWord(value, word));
    return (
      (has(PROXIED['no-cache']) && says('no-cache')) ||
      (has(PROXIED['no-store']) && says('no-store')) ||
      (has(PROXIED.private) && says('private'))
    );
  }
  // As in nginx these two only take away: where nothing speaks of caching, gzip is used.
  if (has(PROXIED.no_last_modified) && response.get('last-modified') !== null) return false;
  return !(has(PROXIED.no_etag) && response.get('etag') !== null);
}

function isOver(expires: string, date: string | null): boolean {
  const atSec = parseHttpTime(expires);
  const nowSec = date === null || date === '' ? Math.floor(wallMs() / 1000) : parseHttpTime(date);
  return atSec >= 0 && nowSec >= 0 && atSec < nowSec;
}

/** Whether a list has this word, without an argument. */
function hasWord(list: string, word: string): boolean {
  return list.split(/[,;]/).some((part) => part.replace(/^ +| +$/g, '').toLowerCase() === word);
}

function valuesOf({ passed, added }: ResponseHead, lowerName: string): string[] {
  const values: string[] = [];
  if (passed !== null) {
    for (let i = passed.findNamed(lowerName); i >= 0; i = passed.findNamed(lowerName, i + 1)) {
      if (passed.hidden[i] === 0) values.push(passed.value(i));
    }
  }
  for (let i = 0; i < added.length; i += 2) {
    if ((added[i] as string).toLowerCase() === lowerName) values.push(added[i + 1] as string);
  }
  return values;
}

function field({ request: { headers } }: Exchange, name: KnownHeader): string | null {
  const at = headers.find(HEADER_ID[name]);
  return at < 0 ? null : headers.value(at);
}
