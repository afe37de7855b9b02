import { HTTP, HTTP_SCOPES, LOCATION_IF } from '../../config/contexts.ts';
import { directive } from '../../config/directive-spec.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { addTypes } from '../../http/type-set.ts';
import { httpScopeOf } from '../log/access-log-conf.ts';
import { proxyModule } from '../proxy/proxy.ts';
import { CHARSET_TYPES, type CharsetConf, checkPair, knowName, parseChoice } from './charset-conf.ts';
import { CharsetRules } from './charset-filter.ts';
import { parseCharsetMap } from './charset-map.ts';

const row = directive<CharsetConf>;

/** nginx's ngx_http_charset_module: what charset a response says that it has, and changing it. */
export const charsetModule: HttpModule<CharsetConf> = {
  name: 'charset',
  defaults: () => ({
    charset: null,
    source: null,
    overrides: false,
    types: CHARSET_TYPES,
    maps: [],
    names: new Map(),
  }),
  rows: [
    row({
      name: 'charset',
      contexts: HTTP_SCOPES | LOCATION_IF,
      args: 1,
      field: 'charset',
      parse: (use) => {
        if (use.args[0] === 'off') return null;
        const choice = parseChoice(use);
        if ('name' in choice) knowName((httpScopeOf(use.scope).own(charsetModule).names ??= new Map()), choice.name);
        return choice;
      },
      syntax: 'charset | $variable | off',
      defaultText: 'off',
      doc: 'Adds the charset to Content-Type. Where it is another than `source_charset` the body is changed as `charset_map` says.',
    }),
    row({
      name: 'source_charset',
      contexts: HTTP_SCOPES | LOCATION_IF,
      args: 1,
      field: 'source',
      parse: (use) => {
        const choice = parseChoice(use);
        if ('name' in choice) knowName((httpScopeOf(use.scope).own(charsetModule).names ??= new Map()), choice.name);
        return choice;
      },
      syntax: 'charset | $variable',
      doc: 'The charset that responses are in, where their Content-Type says none.',
    }),
    row({
      name: 'override_charset',
      contexts: HTTP_SCOPES | LOCATION_IF,
      args: 'flag',
      field: 'overrides',
      syntax: 'on | off',
      defaultText: 'off',
      doc: 'Whether responses of peers that say a charset get another one too.',
    }),
    row({
      name: 'charset_types',
      contexts: HTTP_SCOPES,
      args: [1, Number.POSITIVE_INFINITY],
      apply: (conf, use) => {
        conf.types = addTypes(conf.types, use);
      },
      syntax: 'mime-type … | *',
      defaultText: [...(CHARSET_TYPES as ReadonlySet<string>)].join(' '),
      doc: 'Types of responses that get a charset; text/html is always among them.',
    }),
    row({
      name: 'charset_map',
      contexts: HTTP,
      args: 2,
      block: 'raw',
      repeat: 'append',
      apply: (conf, use) => {
        const names = (conf.names ??= new Map());
        for (const name of use.args) knowName(names, name);
        conf.maps = [...(conf.maps ?? []), parseCharsetMap(use, conf.maps ?? [])];
      },
      syntax: 'charset1 charset2 { … }',
      doc: 'Bytes of one charset, in hexadecimal digits, and what they are in another one, which may be `utf-8`; it holds in both directions.',
    }),
  ],
  compileLocation: (conf, { scope, variables, location, addHeaderFilter }) => {
    const http = httpScopeOf(scope).conf(charsetModule);
    // Nobody speaks of charsets: neither may a peer.
    if (conf.charset === null && http.names.size === 0) return;
    checkPair({ ...conf, maps: http.maps }, http.names);
    const heedsPeer = !scope.conf(proxyModule).ignoreHeaders.includes('X-Accel-Charset');
    const rules = new CharsetRules(conf, http, variables, heedsPeer);
    addHeaderFilter(rules.filter);
    location.compiled.set(RULES, rules);
  },
};

/** Key of a location's rules in `Location.compiled`. */
const RULES = { name: 'charset rules' };

/** Charset that a response made here will say, its type being set; null: none. */
export function charsetToBe(ex: Exchange): string | null {
  const rules = ex.location.compiled.get(RULES) as CharsetRules | undefined;
  return rules?.destination(ex, null) ?? null;
}
