/** A URI that a peer named, split and unescaped. */
export interface NamedUri {
  readonly uri: string;
  /** Query without `?`. */
  readonly args: string;
}

/** `..` as a whole segment. */
const LEADS_UP = /(^|\/)\.\.(\/|$)/;

/**
 * A URI that did not come from a client (X-Accel-Redirect). It is taken as it stands: nothing is resolved or merged.
 * Null: it is empty, holds a zero byte or leads up, with or without `%XX`. Behaves as nginx's ngx_http_parse_unsafe_uri.
 */
export function parseUnsafeUri(text: string): NamedUri | null {
  const question = text.indexOf('?');
  const path = question < 0 ? text : text.slice(0, question);
  if (path === '' || isUnsafe(path)) return null;
  const uri = path.includes('%') ? decode(path) : path;
  if (uri !== path && isUnsafe(uri)) return null;
  return { uri, args: question < 0 ? '' : text.slice(question + 1) };
}

function isUnsafe(path: string): boolean {
  return path.includes('\0') || LEADS_UP.test(path);
}

/** `%XX` decoded; a `%` without two hexadecimal digits stays. */
function decode(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
