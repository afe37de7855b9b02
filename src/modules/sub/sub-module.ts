import { HTTP_SCOPES } from '../../config/contexts.ts';
import { ConfigError } from '../../config/diagnostic.ts';
import { directive } from '../../config/directive-spec.ts';
import type { SourcePos } from '../../config/tree.ts';
import { addBodyFilter, weakenEtag } from '../../http/body-filter.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { HttpModule } from '../../http/http-module.ts';
import type { HeaderFilter } from '../../http/location.ts';
import { addTypes, HTML_TYPES, isOfType, type TypeSet } from '../../http/type-set.ts';
import type { Template, VariableCompiler } from '../../http/variable.ts';
import { lowerCase } from './lower-case.ts';
import { SubFilter, type Substitution } from './sub-filter.ts';

/** One `sub_filter`, as written; both may hold variables. */
interface SubConf {
  readonly pattern: string;
  readonly replacement: string;
  readonly pos: SourcePos;
}

export interface SubModuleConf {
  pairs: readonly SubConf[];
  types: TypeSet;
  isOnce: boolean;
  keepsLastModified: boolean;
}

/** nginx's ngx_http_sub_module: texts of responses are replaced. */
export const subModule: HttpModule<SubModuleConf> = {
  name: 'sub',
  defaults: () => ({ pairs: [], types: HTML_TYPES, isOnce: true, keepsLastModified: false }),
  rows: [
    directive<SubModuleConf>({
      name: 'sub_filter',
      contexts: HTTP_SCOPES,
      args: 2,
      repeat: 'append',
      apply: (conf, use) => {
        const [pattern = '', replacement = ''] = use.args;
        if (pattern === '') use.fail('empty search pattern');
        conf.pairs = [...(conf.pairs ?? []), { pattern, replacement, pos: use.pos }];
      },
      syntax: 'string replacement',
      doc: 'Replaces a string in responses, in whatever case it stands there. Both may contain variables; several are looked for at once.',
    }),
    directive<SubModuleConf>({
      name: 'sub_filter_types',
      contexts: HTTP_SCOPES,
      args: [1, Number.POSITIVE_INFINITY],
      apply: (conf, use) => {
        conf.types = addTypes(conf.types, use);
      },
      syntax: 'mime-type … | *',
      defaultText: 'text/html',
      doc: 'Types of responses that are searched beside text/html.',
    }),
    directive<SubModuleConf>({
      name: 'sub_filter_once',
      contexts: HTTP_SCOPES,
      args: 'flag',
      field: 'isOnce',
      syntax: 'on | off',
      defaultText: 'on',
      doc: 'Whether each string is replaced once only, or wherever it stands.',
    }),
    directive<SubModuleConf>({
      name: 'sub_filter_last_modified',
      contexts: HTTP_SCOPES,
      args: 'flag',
      field: 'keepsLastModified',
      syntax: 'on | off',
      defaultText: 'off',
      doc: 'Whether the response keeps its Last-Modified, and its ETag as a weak one.',
    }),
  ],
  compileLocation: (conf, { variables, addHeaderFilter }) => {
    if (conf.pairs.length > 0) addHeaderFilter(subHeaderFilter(conf, variables));
  },
};

interface Pair {
  readonly pattern: Template;
  readonly replacement: Template;
}

function subHeaderFilter(conf: SubModuleConf, variables: VariableCompiler): HeaderFilter {
  const { types, isOnce, keepsLastModified } = conf;
  const pairs = conf.pairs.map((pair) => compilePair(pair, variables));
  const constant = new Map(
    pairs.flatMap(({ pattern }) => (pattern.constant === null ? [] : [[pattern, bytesOf(pattern.constant)]])),
  );
  return (ex) => {
    const { response } = ex;
    if (response.contentLength === 0 || !isOfType(response, types)) return;
    const substitutions = pairs
      .map((pair) => substitution(ex, pair, constant.get(pair.pattern)))
      .filter(({ pattern }) => pattern.length > 0);
    if (substitutions.length === 0) return;
    // As in nginx a peer's Accept-Ranges stays.
    response.contentLength = -1;
    response.part = null;
    if (keepsLastModified) weakenEtag(ex);
    else dropDates(ex);
    addBodyFilter(ex, (link) => new SubFilter(link, substitutions, isOnce));
  };
}

function compilePair({ pattern, replacement, pos }: SubConf, variables: VariableCompiler): Pair {
  variables.pos = pos;
  try {
    return { pattern: variables.template(pattern), replacement: variables.template(replacement) };
  } catch (error) {
    throw error instanceof ConfigError && error.pos === null ? new ConfigError(error.message, pos) : error;
  }
}

function substitution(ex: Exchange, { pattern, replacement }: Pair, constant: Buffer | undefined): Substitution {
  let bytes: Buffer | null = null;
  return {
    pattern: constant ?? bytesOf(pattern.evaluate(ex)),
    replacement: () => (bytes ??= Buffer.from(replacement.evaluate(ex), 'latin1')),
  };
}

function bytesOf(pattern: string): Buffer {
  return lowerCase(Buffer.from(pattern, 'latin1'));
}

/** What was said of the whole does not hold for what it becomes. */
function dropDates({ response }: Exchange): void {
  response.lastModified = '';
  response.lastModifiedSec = -1;
  response.drop('last-modified');
  response.drop('etag');
}
