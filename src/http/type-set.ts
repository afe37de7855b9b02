import type { DirectiveUse } from '../config/directive-spec.ts';
import type { ResponseHead } from './response-head.ts';

/** Media types of responses (`gzip_types`, `sub_filter_types`): lower-case names, or 'any' (`*`). */
export type TypeSet = ReadonlySet<string> | 'any';

/** What such directives begin with: the type that is always among them. */
export const HTML_TYPES: TypeSet = new Set(['text/html']);

/**
 * Adds the arguments of a directive to what its scope has said before, `always` when it is the first. As in nginx a type said twice is a warning,
 * and behind `*` nothing more is looked at.
 */
export function addTypes(said: TypeSet | undefined, use: DirectiveUse, always: TypeSet = HTML_TYPES): TypeSet {
  if (said === 'any' || always === 'any') return 'any';
  const types = new Set(said ?? always);
  for (const arg of use.args) {
    if (arg === '*') return 'any';
    const type = arg.toLowerCase();
    if (types.has(type)) use.warn(`duplicate MIME type "${type}"`);
    types.add(type);
  }
  return types;
}

/**
 * Whether the response is of one of these types. The `charset=` of a peer or of `charset` is no part of its type; as in nginx any other parameter
 * is, and one that `default_type` or `types` name.
 */
export function isOfType(response: ResponseHead, types: TypeSet): boolean {
  if (types === 'any') return true;
  const { contentType, passed, hasOwnCharset } = response;
  if (contentType === '') return false;
  const type = passed !== null || hasOwnCharset ? typeWithoutCharset(contentType) : contentType;
  return types.has(type) || types.has(type.toLowerCase());
}

function typeWithoutCharset(contentType: string): string {
  const at = contentType.search(/; *charset=/i);
  return at < 0 ? contentType : contentType.slice(0, at);
}
