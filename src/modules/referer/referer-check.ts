import { lowerCase } from '../../http/host-name.ts';
import type { HostTable } from '../../http/host-table.ts';
import type { Pattern } from '../../http/pcre/compile-pattern.ts';

/** Nginx copies a host of a referrer into a buffer of this size; one that is longer is not valid. */
const MAX_HOST = 256;
/** Shorter than `http://i.ru` is no URL. */
const MIN_URL = 11;

/** `valid_referers` of a location. */
export interface ValidReferers {
  /** `none`: the request may have no Referer. */
  readonly none: boolean;
  /** `blocked`: it may have one that is no URL. */
  readonly blocked: boolean;
  /** Host and what the path must begin with. */
  readonly hosts: HostTable<string>;
  /** Regexes of `server_names`, for the host. */
  readonly serverNames: Pattern[];
  /** For everything behind the scheme. */
  readonly regexes: Pattern[];
}

/** Whether a request may have this Referer; null: it has none. */
export function isValidReferer(valid: ValidReferers, referer: string | null): boolean {
  if (referer === null) return valid.none;
  const scheme = referer.length < MIN_URL ? null : /^https?:\/\//i.exec(referer);
  if (scheme === null) return valid.blocked;
  const rest = referer.slice(scheme[0].length);
  const end = rest.search(/[/:]/);
  const host = lowerCase(end < 0 ? rest : rest.slice(0, end));
  if (host.length > MAX_HOST) return false;
  const path = valid.hosts.find(host);
  if (path !== undefined) {
    const slash = rest.indexOf('/', host.length);
    return path === '' || (slash >= 0 && rest.startsWith(path, slash));
  }
  return valid.serverNames.some((pattern) => pattern.test(host)) || valid.regexes.some((pattern) => pattern.test(rest));
}
