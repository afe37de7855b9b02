import type { ConfModule } from '../config/directive-spec.ts';
import type { Scope } from '../config/scope.ts';
import type { HeaderFilter, Location, LogHandler, Phase, PhaseHandler } from './location.ts';
import type { VariableCompiler, VariableDef } from './variable.ts';

/**
 * A living thing of the worker that modules need while compiling (upstream registry, log opener, counters), found by key:
 * the folder that defines the thing exports its key, the process that builds the Runtime provides it.
 */
export class ServiceKey<T> {
  readonly name: string;
  /** Only for the type. */
  declare readonly service: T;
  constructor(name: string) {
    this.name = name;
  }
}

export class Services {
  readonly #services = new Map<ServiceKey<unknown>, unknown>();

  provide<T>(key: ServiceKey<T>, service: T): this {
    this.#services.set(key as ServiceKey<unknown>, service);
    return this;
  }

  get<T>(key: ServiceKey<T>): T {
    const service = this.#services.get(key as ServiceKey<unknown>);
    if (service === undefined) throw new Error(`service ${key.name} is not provided`);
    return service as T;
  }
}

/** What a module's compile hook may do for one location. */
export interface LocationBuild {
  readonly scope: Scope;
  /** What relative file names hang under; ends in `/`. */
  readonly prefix: string;
  readonly location: Location;
  readonly variables: VariableCompiler;
  readonly services: Services;
  addPhase(phase: Phase, handler: PhaseHandler): void;
  /** The location's content handler (`proxy_pass`, `stub_status`): the last one set wins, as in nginx. */
  setContent(handler: PhaseHandler): void;
  addHeaderFilter(filter: HeaderFilter): void;
  addLog(handler: LogHandler): void;
  /**
   * Compiles a block without a name inside this one (`if`, `limit_except`) to what holds in its place. It has no rewrite handlers,
   * and the content handler of this one unless it says one itself.
   */
  compileInner(scope: Scope): Location;
}

/** A module of http: its conf, its variables, and what it adds to a location. */
export interface HttpModule<C extends object> extends ConfModule<C> {
  readonly variables?: readonly VariableDef[];
  /** Runs once per location, a server's own scope included, in the order of the module list. May throw ConfigError. */
  readonly compileLocation?: (conf: C, build: LocationBuild) => void;
  /** Runs once on the http scope before any location: declares variables (`map`, `log_format`), zones. May throw ConfigError. */
  readonly compileHttp?: (conf: C, scope: Scope, variables: VariableCompiler, services: Services) => void;
  /** Runs once on the http scope after every location: for what needs all variables to be known. May throw ConfigError. */
  readonly finishHttp?: (conf: C, scope: Scope, variables: VariableCompiler, services: Services) => void;
}

/** Any http module, whatever its values' shape. */
// biome-ignore lint/suspicious/noExplicitAny: the list is heterogeneous; each module is checked where it is defined.
export type AnyHttpModule = HttpModule<any>;
