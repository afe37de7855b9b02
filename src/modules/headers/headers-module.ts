import { HTTP_SCOPES, LOCATION_IF } from '../../config/contexts.ts';
import { type DirectiveUse, directive } from '../../config/directive-spec.ts';
import type { SourcePos } from '../../config/tree.ts';
import { oneOf } from '../../config/values.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { addHeaderFilter } from './add-header-filter.ts';
import { addTrailerFilter } from './add-trailer-filter.ts';
import { type ExpiresConf, expiresFilter, parseExpires } from './expires.ts';

/** Whether what a block says comes in place of what is said around it, beside it, or alone. */
const INHERITANCE = ['on', 'off', 'merge'] as const;
type Inheritance = (typeof INHERITANCE)[number];

/** One `add_header` or `add_trailer`. */
export interface AddHeaderConf {
  readonly name: string;
  /** With variables. */
  readonly value: string;
  /** For every status, not only for the good ones. */
  readonly isAlways: boolean;
  readonly pos: SourcePos;
}

export interface HeadersConf {
  addHeaders: readonly AddHeaderConf[];
  addTrailers: readonly AddHeaderConf[];
  headersInherit: Inheritance;
  trailersInherit: Inheritance;
  /** Null: off. */
  expires: ExpiresConf | null;
}

export const headersModule: HttpModule<HeadersConf> = {
  name: 'headers',
  defaults: () => ({ addHeaders: [], addTrailers: [], headersInherit: 'on', trailersInherit: 'on', expires: null }),
  rows: [
    directive<HeadersConf>({
      name: 'add_header',
      contexts: HTTP_SCOPES | LOCATION_IF,
      args: [2, 3],
      field: 'addHeaders',
      repeat: 'append',
      parse: parseAddHeader,
      syntax: 'name value [always]',
      doc: 'Adds a field to responses with status 200, 201, 204, 206, 301, 302, 303, 304, 307 and 308; `always`: to all. Inherited as a whole.',
    }),
    directive<HeadersConf>({
      name: 'add_header_inherit',
      contexts: HTTP_SCOPES | LOCATION_IF,
      args: 1,
      field: 'headersInherit',
      parse: oneOf(INHERITANCE),
      syntax: 'on | off | merge',
      defaultText: 'on',
      doc: '`on`: a block without `add_header` has those around it; `merge`: a block with some has them too, behind its own; `off`: none but its own.',
    }),
    directive<HeadersConf>({
      name: 'add_trailer',
      contexts: HTTP_SCOPES | LOCATION_IF,
      args: [2, 3],
      field: 'addTrailers',
      repeat: 'append',
      parse: parseAddHeader,
      syntax: 'name value [always]',
      doc: 'As `add_header`, behind the body: with HTTP/1.1 the response is chunked then. Variables have the values that they have at its end.',
    }),
    directive<HeadersConf>({
      name: 'add_trailer_inherit',
      contexts: HTTP_SCOPES | LOCATION_IF,
      args: 1,
      field: 'trailersInherit',
      parse: oneOf(INHERITANCE),
      syntax: 'on | off | merge',
      defaultText: 'on',
      doc: 'As `add_header_inherit`.',
    }),
    directive<HeadersConf>({
      name: 'expires',
      contexts: HTTP_SCOPES | LOCATION_IF,
      args: [1, 2],
      field: 'expires',
      parse: parseExpires,
      syntax: '[modified] time | epoch | max | off',
      defaultText: 'off',
      doc: 'Sets `Expires` and `Cache-Control: max-age` of good answers: a time from now, from the last change, or of the day (`@15h30m`).',
    }),
  ],
  finish: (merged, own, scope) => {
    const around = scope.parent?.conf(headersModule);
    merged.addHeaders = inherited(own.addHeaders, around?.addHeaders, merged.headersInherit);
    merged.addTrailers = inherited(own.addTrailers, around?.addTrailers, merged.trailersInherit);
  },
  compileLocation: ({ addHeaders, addTrailers, expires }, build) => {
    if (expires !== null) build.addHeaderFilter(expiresFilter(expires, build.variables));
    if (addHeaders.length > 0) build.addHeaderFilter(addHeaderFilter(addHeaders, build.variables));
    if (addTrailers.length > 0) build.addHeaderFilter(addTrailerFilter(addTrailers, build.variables));
  },
};

function inherited(
  own: readonly AddHeaderConf[] | undefined,
  around: readonly AddHeaderConf[] = [],
  rule: Inheritance,
): readonly AddHeaderConf[] {
  if (rule === 'off') return own ?? [];
  if (own === undefined) return around;
  return rule === 'merge' ? [...own, ...around] : own;
}

function parseAddHeader(use: DirectiveUse): AddHeaderConf {
  const [name = '', value = '', always] = use.args;
  if (always !== undefined && always !== 'always') use.fail(`invalid parameter "${always}"`);
  return { name, value, isAlways: always !== undefined, pos: use.pos };
}
