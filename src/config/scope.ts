import type { Context } from './contexts.ts';
import type { AnyConfModule, ConfModule } from './directive-spec.ts';
import type { Directive, SourcePos } from './tree.ts';

/**
 * One block of the configuration that inherits: main, events, http, a server, a location, an upstream, an `if`.
 * It holds what was said in it (`own`) and gives, after the whole file was read, what holds in it (`conf`).
 */
export class Scope {
  readonly context: Context;
  readonly parent: Scope | null;
  readonly children: Scope[] = [];
  /** The directive that opened it; null for main. */
  readonly directive: Directive | null;
  readonly pos: SourcePos | null;
  readonly #own = new Map<AnyConfModule, object>();
  readonly #merged = new Map<AnyConfModule, object>();

  constructor(context: Context, parent: Scope | null, directive: Directive | null) {
    this.context = context;
    this.parent = parent;
    this.directive = directive;
    this.pos = directive === null ? null : directive.pos;
    parent?.children.push(this);
  }

  /** The opening directive's arguments: a location's modifier and path, an upstream's name. */
  get args(): readonly string[] {
    return this.directive === null ? [] : this.directive.args;
  }

  /** What was said of a module in this very scope; rows write here. */
  own<C extends object>(module: ConfModule<C>): Partial<C> {
    let own = this.#own.get(module);
    if (own === undefined) {
      own = {};
      this.#own.set(module, own);
    }
    return own as Partial<C>;
  }

  /** What holds in this scope: said here, else inherited, else the default. Only after the whole tree was read. */
  conf<C extends object>(module: ConfModule<C>): C {
    const known = this.#merged.get(module);
    if (known !== undefined) return known as C;
    const own = (this.#own.get(module) ?? {}) as Partial<C>;
    const base = this.parent === null ? module.defaults() : this.parent.conf(module);
    const merged = { ...base } as C;
    const defaults = this.parent === null ? null : module.defaults();
    for (const row of module.rows) {
      if (row.inherit === 'none' && row.field !== undefined && defaults !== null) {
        (merged as Record<string, unknown>)[row.field] = (defaults as Record<string, unknown>)[row.field];
      }
    }
    Object.assign(merged, own);
    module.finish?.(merged, own, this);
    this.#merged.set(module, merged);
    return merged;
  }

  /** Children of one context, in the order of the file. */
  childrenOf(context: Context): Scope[] {
    return this.children.filter((child) => child.context === context);
  }
}
