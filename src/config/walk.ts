import { MAIN, STREAM_UPSTREAM, UPSTREAM } from './contexts.ts';
import { ConfigError, type Diagnostic, type Severity } from './diagnostic.ts';
import type { AnyConfModule, ArgCount, DirectiveSpec, DirectiveUse } from './directive-spec.ts';
import { parseFlag } from './parse-value.ts';
import { Scope } from './scope.ts';
import type { Directive, SourcePos } from './tree.ts';

export interface ReadScopes {
  readonly main: Scope;
  /** Every finding, in the order in which nginx would come to it. */
  readonly diagnostics: Diagnostic[];
}

export interface ReadScopesOptions {
  /** False: leave out the merging (`finish`), for a tree that a syntax error cut short. Default true. */
  readonly merge?: boolean;
}

/** Tree -> scopes: checks every directive against its row, lets the rows write, then merges. Findings don't stop it. */
export function readScopes(
  tree: readonly Directive[],
  modules: readonly AnyConfModule[],
  options: ReadScopesOptions = {},
): ReadScopes {
  const walker = new Walker(modules);
  const main = new Scope(MAIN, null, null);
  walker.readBlock(tree, main);
  if (options.merge !== false) walker.merge(main);
  return { main, diagnostics: walker.diagnostics };
}

interface Candidate {
  readonly module: AnyConfModule;
  readonly row: DirectiveSpec<Record<string, unknown>>;
}

/** A finding of merging, and how many findings nginx would have come to before it. */
interface LateFinding {
  readonly at: number;
  readonly finding: Diagnostic;
}

class Walker {
  readonly diagnostics: Diagnostic[] = [];
  readonly #modules: readonly AnyConfModule[];
  readonly #rows = new Map<string, Candidate[]>();
  /** Scopes in which a directive was refused: what `finish` says of them would only be a consequence. */
  readonly #unsound = new Set<Scope>();
  /** Rows without a field that may stand once, by scope. */
  readonly #used = new Map<Scope, Set<DirectiveSpec<Record<string, unknown>>>>();
  /** An included file may be read many times: one finding of each kind and line is enough. */
  readonly #said = new Set<string>();

  /** How many findings there were when a scope's block closed. */
  readonly #foundAtClose = new Map<Scope, number>();

  constructor(modules: readonly AnyConfModule[]) {
    this.#modules = modules;
    for (const module of modules) {
      for (const row of module.rows) {
        const known = this.#rows.get(row.name);
        if (known === undefined) this.#rows.set(row.name, [{ module, row }]);
        else known.push({ module, row });
      }
    }
  }

  readBlock(directives: readonly Directive[], scope: Scope): void {
    for (const directive of directives) this.#readDirective(directive, scope);
    this.#foundAtClose.set(scope, this.diagnostics.length);
  }

  #readDirective(directive: Directive, scope: Scope): void {
    let opened: Scope | null = null;
    try {
      // 1. known, allowed here, block, arguments
      const { module, row } = this.#choose(directive, scope);
      checkForm(directive, row.block !== undefined);
      checkArgCount(directive, row.args);
      // 2. once only
      const own = scope.own<Record<string, unknown>>(module);
      this.#checkOnce(row, own, scope);
      // 3. the row itself
      if (typeof row.block === 'number') opened = new Scope(row.block, scope, directive);
      const use = new RowUse(directive, scope, opened, this.#report);
      if (row.field !== undefined) setField(own, row.field, row, use);
      else if (row.args === 'flag') readFlag(use);
      row.apply?.(own, use);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#unsound.add(scope);
      this.#report('emerg', error.message, error.pos ?? directive.pos);
    }
    // 4. its block, even when its arguments were refused
    if (opened !== null) this.readBlock(directive.block ?? [], opened);
  }

  #choose(directive: Directive, scope: Scope): Candidate {
    if (directive.name === 'include') checkInclude(directive);
    const candidates = this.#rows.get(directive.name);
    if (candidates === undefined) throw new ConfigError(`unknown directive "${directive.name}"`);
    const fitting = candidates.find((candidate) => (candidate.row.contexts & scope.context) !== 0);
    if (fitting === undefined) throw new ConfigError(`"${directive.name}" directive is not allowed here`);
    return fitting;
  }

  #checkOnce(row: DirectiveSpec<Record<string, unknown>>, own: Record<string, unknown>, scope: Scope): void {
    if (row.field !== undefined) {
      if ((row.repeat ?? 'error') === 'error' && own[row.field] !== undefined) throw duplicate(row.name);
      return;
    }
    if (row.repeat !== 'error') return;
    const used = this.#used.get(scope) ?? new Set();
    if (used.has(row)) throw duplicate(row.name);
    this.#used.set(scope, used.add(row));
  }

  /** Merges every scope with every module, parents first; a module that fails in a scope is left out below it. */
  merge(main: Scope): void {
    const late: LateFinding[] = [];
    this.#mergeScope(main, this.#modules, late);
    // From the last to the first, so that the places of those before stay right.
    for (const { at, finding } of late.sort((a, b) => a.at - b.at).reverse()) this.diagnostics.splice(at, 0, finding);
  }

  #mergeScope(scope: Scope, modules: readonly AnyConfModule[], late: LateFinding[]): void {
    const sound = modules.filter((module) => {
      try {
        scope.conf(module);
        return true;
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        const finding: Diagnostic = { severity: 'emerg', text: error.message, pos: error.pos ?? mergePos(scope) };
        const at = this.#foundAtClose.get(mergedWith(scope)) ?? this.diagnostics.length;
        if (!this.#unsound.has(scope) && this.#isNew(finding)) late.push({ at, finding });
        return false;
      }
    });
    for (const child of scope.children) this.#mergeScope(child, sound, late);
  }

  readonly #report = (severity: Severity, text: string, pos: SourcePos | null): void => {
    const finding: Diagnostic = { severity, text, pos };
    if (this.#isNew(finding)) this.diagnostics.push(finding);
  };

  #isNew({ severity, text, pos }: Diagnostic): boolean {
    const key = `${severity} ${pos?.file}:${pos?.line} ${text}`;
    if (this.#said.has(key)) return false;
    this.#said.add(key);
    return true;
  }
}

class RowUse implements DirectiveUse {
  readonly name: string;
  readonly args: readonly string[];
  readonly block: readonly Directive[] | null;
  readonly pos: SourcePos;
  readonly end: SourcePos;
  readonly scope: Scope;
  readonly opened: Scope | null;
  readonly #report: (severity: Severity, text: string, pos: SourcePos) => void;

  constructor(
    directive: Directive,
    scope: Scope,
    opened: Scope | null,
    report: (severity: Severity, text: string, pos: SourcePos) => void,
  ) {
    this.name = directive.name;
    this.args = directive.args;
    this.block = directive.block;
    this.pos = directive.pos;
    this.end = directive.end ?? directive.pos;
    this.scope = scope;
    this.opened = opened;
    this.#report = report;
  }

  fail(text: string): never {
    throw new ConfigError(text);
  }

  warn(text: string, pos: SourcePos = this.pos): void {
    this.#report('warn', text, pos);
  }
}

/** Without `parse`: a flag is a boolean, one argument is its text, several are the array of them. */
function setField(
  own: Record<string, unknown>,
  field: string,
  row: DirectiveSpec<Record<string, unknown>>,
  use: DirectiveUse,
): void {
  const flag = row.args === 'flag' ? readFlag(use) : null;
  const value = row.parse !== undefined ? row.parse(use) : (flag ?? (row.args === 1 ? use.args[0] : use.args));
  own[field] = row.repeat === 'append' ? [...((own[field] as unknown[] | undefined) ?? []), value] : value;
}

function readFlag(use: DirectiveUse): boolean {
  return parseFlag(use.args[0] ?? '', use.name);
}

function checkForm(directive: Directive, wantsBlock: boolean): void {
  if (!wantsBlock && directive.block !== null) {
    throw new ConfigError(`directive "${directive.name}" is not terminated by ";"`);
  }
  if (wantsBlock && directive.block === null) throw new ConfigError(`directive "${directive.name}" has no opening "{"`);
}

function checkArgCount(directive: Directive, count: ArgCount): void {
  const [min, max] = count === 'flag' ? [1, 1] : typeof count === 'number' ? [count, count] : count;
  if (directive.args.length < min || directive.args.length > max) {
    throw new ConfigError(`invalid number of arguments in "${directive.name}" directive`);
  }
}

/** The loader has replaced every sound `include`; what is left of them is misused. */
function checkInclude(directive: Directive): void {
  checkForm(directive, false);
  checkArgCount(directive, 1);
}

function duplicate(name: string): ConfigError {
  return new ConfigError(`"${name}" directive is duplicate`);
}

/** nginx checks an upstream at its `}`. Others it checks at the end of `http`; the line of the scope itself says more. */
function mergePos(scope: Scope): SourcePos | null {
  return (isUpstream(scope) ? scope.directive?.end : undefined) ?? scope.pos;
}

/** The block at whose end nginx merges the scope: an upstream's own, otherwise the outermost (`http`, `events`, `stream`). */
function mergedWith(scope: Scope): Scope {
  if (isUpstream(scope) || scope.parent === null || scope.parent.parent === null) return scope;
  return mergedWith(scope.parent);
}

function isUpstream(scope: Scope): boolean {
  return scope.context === UPSTREAM || scope.context === STREAM_UPSTREAM;
}
