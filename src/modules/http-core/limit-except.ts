import { LIMIT_EXCEPT, LOCATION } from '../../config/contexts.ts';
import { type DirectiveSpec, type DirectiveUse, directive } from '../../config/directive-spec.ts';
import type { LocationBuild } from '../../http/http-module.ts';
import type { HttpCoreConf } from './http-core-conf.ts';

/** The methods that nginx has a bit for. */
const METHODS: readonly string[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'MKCOL',
  'COPY',
  'MOVE',
  'OPTIONS',
  'PROPFIND',
  'PROPPATCH',
  'LOCK',
  'UNLOCK',
  'PATCH',
];

export const limitExceptRow: DirectiveSpec<HttpCoreConf> = directive<HttpCoreConf>({
  name: 'limit_except',
  contexts: LOCATION,
  args: [1, Number.POSITIVE_INFINITY],
  block: LIMIT_EXCEPT,
  apply: (conf, use) => {
    if (conf.limitExceptMethods !== undefined) use.fail('"limit_except" directive is duplicate');
    conf.limitExceptMethods = parseMethods(use);
  },
  syntax: 'method …',
  doc: 'What holds for all methods but these; GET stands for HEAD too. Directives of the rewrite module then do not run.',
});

function parseMethods(use: DirectiveUse): readonly string[] {
  const methods = use.args.map((arg) => {
    const method = METHODS.find((known) => known === arg.toUpperCase());
    return method ?? use.fail(`invalid method "${arg}"`);
  });
  return methods.includes('GET') ? [...methods, 'HEAD'] : methods;
}

/** Gives the location its `limit_except`. */
export function compileLimitExcept(methods: readonly string[] | null, build: LocationBuild): void {
  const [inner] = build.scope.childrenOf(LIMIT_EXCEPT);
  if (methods === null || inner === undefined || build.scope.context !== LOCATION) return;
  build.location.limitExcept = { methods: new Set(methods), location: build.compileInner(inner) };
}
