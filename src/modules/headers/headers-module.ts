import { HTTP_SCOPES, LOCATION_IF } from '../../config/contexts.ts';
import { type DirectiveUse, directive } from '../../config/directive-spec.ts';
import type { SourcePos } from '../../config/tree.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { addHeaderFilter } from './add-header-filter.ts';
import { type ExpiresConf, expiresFilter, parseExpires } from './expires.ts';

/** One `add_header`. */
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
  /** Null: off. */
  expires: ExpiresConf | null;
}

export const headersModule: HttpModule<HeadersConf> = {
  name: 'headers',
  defaults: () => ({ addHeaders: [], expires: null }),
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
  compileLocation: ({ addHeaders, expires }, build) => {
    if (expires !== null) build.addHeaderFilter(expiresFilter(expires, build.variables));
    if (addHeaders.length > 0) build.addHeaderFilter(addHeaderFilter(addHeaders, build.variables));
  },
};

function parseAddHeader(use: DirectiveUse): AddHeaderConf {
  const [name = '', value = '', always] = use.args;
  if (always !== undefined && always !== 'always') use.fail(`invalid parameter "${always}"`);
  return { name, value, isAlways: always !== undefined, pos: use.pos };
}
