import { HTTP, SERVER } from '../config/contexts.ts';
import { type Diagnostic, hasEmerg } from '../config/diagnostic.ts';
import type { Scope } from '../config/scope.ts';
import type { ConfigSnapshot } from '../config/tree.ts';
import type { Services } from '../http/http-module.ts';
import type { VirtualServer } from '../http/location.ts';
import { CORE_VARIABLES } from '../http/variables/core-variables.ts';
import { VariableRegistry } from '../http/variables/variable-registry.ts';
import { compileListeners } from './compile-listeners.ts';
import type { LocationContext } from './compile-location.ts';
import { compileServer } from './compile-server.ts';
import { Findings } from './findings.ts';
import { HTTP_MODULES } from './module-list.ts';
import type { Listener, Runtime } from './runtime.ts';

export interface CompileInput {
  readonly snapshot: ConfigSnapshot;
  /** Read from the snapshot with `MODULES`, without an emerg finding. */
  readonly main: Scope;
  /** All that modules ask for; made for this very configuration where the service says so. */
  readonly services: Services;
}

export interface CompileResult {
  /** Null with an emerg finding. */
  readonly runtime: Runtime | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** A configuration that was read -> what serves it. Opens log files through the services; touches no socket. */
export function compileRuntime({ snapshot, main, services }: CompileInput): CompileResult {
  const findings = new Findings();
  const listeners = main.childrenOf(HTTP).flatMap((http) => compileHttp(http, snapshot.prefix, services, findings));
  const { diagnostics } = findings;
  return { runtime: hasEmerg(diagnostics) ? null : { snapshot, main, services, listeners }, diagnostics };
}

function compileHttp(http: Scope, prefix: string, services: Services, findings: Findings): Listener[] {
  // 1. Variables, and what stands in the http block itself.
  const variables = new VariableRegistry([
    ...CORE_VARIABLES,
    ...HTTP_MODULES.flatMap((module) => module.variables ?? []),
  ]);
  const context: LocationContext = { modules: HTTP_MODULES, variables, services, prefix, findings };
  for (const module of HTTP_MODULES) {
    findings.collectCompile(http.pos, variables, () =>
      module.compileHttp?.(http.conf(module), http, variables, services),
    );
  }
  // 2. Servers and their locations.
  const servers = new Map<Scope, VirtualServer>();
  for (const server of http.childrenOf(SERVER)) servers.set(server, compileServer(server, context));
  // 3. Addresses and names.
  const listeners = compileListeners(http, servers, variables, findings);
  // 4. What waited for all variables; then every one must have been defined.
  for (const module of HTTP_MODULES) {
    findings.collectCompile(http.pos, variables, () =>
      module.finishHttp?.(http.conf(module), http, variables, services),
    );
  }
  findings.collect(null, () => variables.finish());
  return listeners;
}
