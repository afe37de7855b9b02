import type { Scope } from '../config/scope.ts';
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
  let content: PhaseHandler | null = null;
  const build: LocationBuild = {
    scope,
    prefix,
    location,
    variables,
    services,
    addPhase: (phase, handler) => phases.get(phase)?.push(handler),
    setContent: (handler) => {
      content = handler;
    },
    addHeaderFilter: (filter) => location.headerFilters.push(filter),
    addLog: (handler) => location.logHandlers.push(handler),
  };
  for (const module of context.modules) {
    findings.collectCompile(scope.pos, variables, () => module.compileLocation?.(scope.conf(module), build));
  }

  const handlersOf = (phase: Phase): readonly PhaseHandler[] => phases.get(phase) ?? [];
  const later: readonly Phase[] = ['preaccess', 'access', 'precontent'];
  // A server's rewrite handlers run before the location is chosen; when none fits, not again.
  const own = isServer ? [] : handlersOf('rewrite');
  location.handlers.push(...own, ...later.flatMap(handlersOf));
  if (content !== null) location.handlers.push(content);
  const postRead = handlersOf('post-read');
  return {
    location,
    serverHandlers: isServer ? [...postRead, ...handlersOf('rewrite')] : [],
    firstRewriteHandler: postRead.length,
  };
}
