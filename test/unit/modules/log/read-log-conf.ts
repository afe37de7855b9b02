import { HTTP, LOCATION, MAIN, SERVER } from '../../../../src/config/contexts.ts';
import { formatDiagnostic } from '../../../../src/config/diagnostic.ts';
import { type AnyConfModule, type ConfModule, directive } from '../../../../src/config/directive-spec.ts';
import { parseText } from '../../../../src/config/parser.ts';
import type { Scope } from '../../../../src/config/scope.ts';
import { readScopes } from '../../../../src/config/walk.ts';
import { Services } from '../../../../src/http/http-module.ts';
import type { LogHandler } from '../../../../src/http/location.ts';
import { LOG_FILES, MAIN_LOG } from '../../../../src/http/observe-services.ts';
import { CORE_VARIABLES } from '../../../../src/http/variables/core-variables.ts';
import { VariableRegistry } from '../../../../src/http/variables/variable-registry.ts';
import { logModule } from '../../../../src/modules/log/log-module.ts';
import type { Log } from '../../../../src/observe/error-log.ts';
import { LogFiles } from '../../../../src/observe/log-files.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

/** The blocks that logs stand in. */
const blocks: ConfModule<object> = {
  name: 'blocks',
  defaults: () => ({}),
  rows: [
    directive<object>({ name: 'http', contexts: MAIN, args: 0, block: HTTP, doc: '' }),
    directive<object>({ name: 'server', contexts: HTTP, args: 0, block: SERVER, doc: '' }),
    directive<object>({ name: 'location', contexts: SERVER | LOCATION, args: 1, block: LOCATION, doc: '' }),
  ],
};

const modules: readonly AnyConfModule[] = [blocks, logModule];

export interface ReadLogs {
  /** Every finding as nginx prints it. */
  readonly findings: readonly string[];
  readonly http: Scope | undefined;
}

/** Reads `text` as the content of `http`. */
export function readLogs(text: string): ReadLogs {
  const parsed = parseText({
    text: `http {\n${text}\n}`,
    file: 'nginx.conf',
    include: () => ({ directives: [], finding: null }),
  });
  const { main, diagnostics } = readScopes(parsed.directives, modules);
  return { findings: diagnostics.map(formatDiagnostic), http: main.childrenOf(HTTP)[0] };
}

export interface CompiledLogs {
  /** Ends in `/`. */
  readonly prefix: string;
  readonly files: LogFiles;
  /** Log handlers of the scope that is reached by these contexts, the first child each. */
  handlersOf(...contexts: number[]): readonly LogHandler[];
}

/** Compiles the logs of every scope over a directory of their own, which is the root too. Throws ConfigError. `files`: instead of real ones. */
export function compileLogs(text: string, files?: LogFiles, mainLog?: Log): CompiledLogs {
  const { http, findings } = readLogs(text);
  if (http === undefined || findings.length > 0) throw new Error(findings.join('\n'));
  const prefix = `${tempFolder('log-test')}/`;
  const opened = files ?? new LogFiles(prefix);
  const services = new Services().provide(LOG_FILES, opened);
  if (mainLog !== undefined) services.provide(MAIN_LOG, mainLog);
  const variables = new VariableRegistry(CORE_VARIABLES);
  logModule.compileHttp?.(http.conf(logModule), http, variables, services);
  const compiled = new Map<Scope, LogHandler[]>();
  const compile = (scope: Scope): void => {
    const handlers: LogHandler[] = [];
    compiled.set(scope, handlers);
    const build = { scope, prefix, variables, services, addLog: (handler: LogHandler) => handlers.push(handler) };
    if (scope !== http) logModule.compileLocation?.(scope.conf(logModule), build as never);
    scope.children.forEach(compile);
  };
  compile(http);
  variables.finish();
  return {
    prefix,
    files: opened,
    handlersOf(...contexts) {
      let scope: Scope | undefined = http;
      for (const context of contexts) scope = scope?.childrenOf(context)[0];
      return (scope === undefined ? undefined : compiled.get(scope)) ?? [];
    },
  };
}
