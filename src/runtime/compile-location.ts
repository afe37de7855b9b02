import { type Context, LIMIT_EXCEPT, LOCATION_IF } from '../config/contexts.ts';
import type { Scope } from '../config/scope.ts';
import { passSubrequest, refuseUnsatisfied } from '../http/access-phase.ts';
import type { AnyHttpModule, LocationBuild, Services } from '../http/http-module.ts';
import { Location, PHASES, type Phase, type PhaseHandler } from '../http/location.ts';
import type { VariableCompiler } from '../http/variable.ts';
import { requestLogOf } from '../modules/core/open-error-log.ts';
import { httpCoreModule } from '../modules/http-core/http-core-module.ts';
import type { Findings } from './findings.ts';

/** What all locations of a configuration are compiled with. */
export interface LocationContext {
  readonly modules: readonly AnyHttpModule[];
  readonly variables: VariableCompiler;
  readonly services: Services;
  readonly prefix: string;
  readonly findings: Findings;
}

export interface CompiledLocation {
  readonly location: Location;
  /** Of a server's own scope: what runs before a location is chosen. Empty for locations. */
  readonly serverHandlers: readonly PhaseHandler[];
  /** Index of the first of them that belongs to the rewrite phase. */
  readonly firstRewriteHandler: number;
}

/** What can answer in a location. */
interface Content {
  /** What a module other than http-core has set; null: none. */
  readonly own: PhaseHandler | null;
  /** What http-core sets: for locations in which nothing else answers. */
  readonly fallback: PhaseHandler | null;
}

/** Lets every module add to the location of `scope`; `isServer`: it is a server's own scope. */
export function compileLocation(
  scope: Scope,
  name: string,
  isServer: boolean,
  context: LocationContext,
): CompiledLocation {
  const { variables, services, prefix, findings } = context;
  const location = new Location(name, scope.conf(httpCoreModule), requestLogOf(scope, services));
  const phases = new Map<Phase, PhaseHandler[]>(PHASES.map((phase) => [phase, []]));
  const inner: { readonly location: Location; readonly context: Context }[] = [];
  let own: PhaseHandler | null = null;
  let fallback: PhaseHandler | null = null;
  let isHttpCore = false;
  const build: LocationBuild = {
    scope,
    prefix,
    location,
    variables,
    services,
    addPhase: (phase, handler) => phases.get(phase)?.push(handler),
    setContent: (handler) => {
      if (isHttpCore) fallback = handler;
      else own = handler;
    },
    addHeaderFilter: (filter) => location.headerFilters.push(filter),
    addLog: (handler) => location.logHandlers.push(handler),
    compileInner: (innerScope) => {
      const compiled = compileLocation(innerScope, name, false, context);
      inner.push({ location: compiled.location, context: innerScope.context });
      return compiled.location;
    },
  };
  for (const module of context.modules) {
    isHttpCore = module === httpCoreModule;
    findings.collectCompile(scope.pos, variables, () => module.compileLocation?.(scope.conf(module), build));
  }

  const handlersOf = (phase: Phase): readonly PhaseHandler[] => phases.get(phase) ?? [];
  // A server's rewrite handlers run before the location is chosen; when none fits, not again.
  location.handlers.push(...(isServer ? [] : handlersOf('rewrite')), ...handlersOf('preaccess'));
  const access = handlersOf('access');
  if (access.length > 0) location.handlers.push(passSubrequest, ...access);
  if (location.satisfiesAny) location.handlers.push(refuseUnsatisfied);
  location.accessEnd = location.handlers.length;
  location.handlers.push(...handlersOf('precontent'));
  const content: Content = { own, fallback };
  // `if` answers as its parent does, unless it says otherwise: the parent completes blocks without a name.
  if (isNameless(scope)) contents.set(location, content);
  else addContent(location, content);
  for (const one of inner) {
    const said = contents.get(one.location);
    const inherited = one.context === LOCATION_IF ? own : null;
    addContent(one.location, { own: said?.own ?? inherited, fallback: said?.fallback ?? fallback });
  }
  const postRead = handlersOf('post-read');
  return {
    location,
    serverHandlers: isServer ? [...postRead, ...handlersOf('rewrite')] : [],
    firstRewriteHandler: postRead.length,
  };
}

/** What blocks without a name said of their content. */
const contents = new WeakMap<Location, Content>();

function addContent(location: Location, { own, fallback }: Content): void {
  const handler = own ?? fallback;
  if (handler !== null) location.handlers.push(handler);
}

function isNameless(scope: Scope): boolean {
  return (scope.context & (LOCATION_IF | LIMIT_EXCEPT)) !== 0;
}
