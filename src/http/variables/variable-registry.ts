import { ConfigError } from '../../config/diagnostic.ts';
import type { SourcePos } from '../../config/tree.ts';
import type { Exchange } from '../exchange.ts';
import { lowerCase } from '../host-name.ts';
import type { Template, VariableCompiler, VariableDef, VariableGetter } from '../variable.ts';
import { constantTemplate, joinedTemplate, splitTemplate } from './template.ts';

/** A name that was used before anything defined it: a later `map` or named capture may still do so. */
interface Awaited {
  readonly name: string;
  readonly pos: SourcePos | null;
  getter: VariableGetter | null;
}

/** A variable that the configuration may give a value: it lies in a slot of the exchange once it is known. */
interface Changeable {
  readonly name: string;
  readonly slot: number;
  /** What `map` and kin compute; null: nothing but `set` and captures give it a value. */
  compute: VariableGetter | null;
  isVolatile: boolean;
  /** It is not found until it is given a value: a pattern names it, or `auth_request_set`. */
  isQuiet: boolean;
}

/**
 * All variables of one configuration. Names are looked up at compile time only, in any case; what a text becomes is a function.
 * As in nginx, the order in the file does not matter: a name may be used before the `map` or capture that defines it, so
 * `finish()` has the last word.
 */
export class VariableRegistry implements VariableCompiler {
  pos: SourcePos | null = null;
  readonly #fixed = new Map<string, VariableDef>();
  readonly #prefixed: VariableDef[] = [];
  readonly #changeable = new Map<string, Changeable>();
  readonly #awaited = new Map<string, Awaited>();

  /** `defs`: nginx's own (`CORE_VARIABLES`) and the modules'. */
  constructor(defs: readonly VariableDef[]) {
    for (const def of defs) {
      if (def.isPrefix === true) this.#prefixed.push(def);
      else this.#fixed.set(def.name, def);
    }
  }

  template(text: string): Template {
    const parts = splitTemplate(text);
    const [only] = parts;
    if (only === undefined) return constantTemplate('');
    if (parts.length === 1 && only.kind === 'text') return constantTemplate(only.text);
    return joinedTemplate(
      parts.map((part) => {
        if (part.kind === 'text') return part.text;
        return part.kind === 'variable' ? this.variable(part.name) : captureGetter(part.index);
      }),
    );
  }

  variable(name: string): VariableGetter {
    const lowerName = lowerCase(name);
    return this.#find(lowerName) ?? this.#await(lowerName);
  }

  slot(name: string): number {
    const variable = this.#change(name);
    variable.isQuiet = true;
    return variable.slot;
  }

  assignment(name: string, isQuiet = false): (ex: Exchange, value: string) => void {
    const assign = this.#fixed.get(lowerCase(name))?.assign;
    if (assign !== undefined) return assign;
    const variable = this.#change(name);
    const { slot } = variable;
    if (isQuiet) variable.isQuiet = true;
    return (ex, value) => {
      ex.slots[slot] = value;
    };
  }

  define(def: VariableDef): void {
    const variable = this.#change(def.name);
    variable.compute = def.compile('');
    variable.isVolatile = def.isVolatile === true;
  }

  /** How many slots there are. */
  get slotCount(): number {
    return this.#changeable.size;
  }

  #change(name: string): Changeable {
    const lowerName = lowerCase(name);
    const known = this.#changeable.get(lowerName);
    if (known !== undefined) return known;
    if (name === '') throw new ConfigError('invalid variable name "$"');
    const fixed = this.#fixed.get(lowerName);
    if (fixed !== undefined && fixed.isChangeable !== true && fixed.assign === undefined) {
      throw new ConfigError(`the duplicate "${name}" variable`);
    }
    const variable: Changeable = {
      name: lowerName,
      slot: this.#changeable.size,
      // Until it gets another value it has that of nginx's own variable or family.
      compute: fixed?.compile('') ?? this.#ofFamily(lowerName),
      isVolatile: true,
      isQuiet: false,
    };
    this.#changeable.set(lowerName, variable);
    return variable;
  }

  /** All is compiled: throws ConfigError `unknown "x" variable` for a name that nothing defined. */
  finish(): void {
    for (const awaited of this.#awaited.values()) {
      awaited.getter = this.#find(awaited.name);
      if (awaited.getter === null) throw new ConfigError(`unknown "${awaited.name}" variable`, awaited.pos);
    }
    this.#awaited.clear();
  }

  #find(lowerName: string): VariableGetter | null {
    // 1. a value that the configuration gives, 2. a variable of that name, 3. a family
    const variable = this.#changeable.get(lowerName);
    if (variable !== undefined) return changeableGetter(variable);
    return this.#fixed.get(lowerName)?.compile('') ?? this.#ofFamily(lowerName);
  }

  #ofFamily(lowerName: string): VariableGetter | null {
    const family = this.#prefixed.find(({ name }) => lowerName.startsWith(name));
    return family?.compile(lowerName.slice(family.name.length)) ?? null;
  }

  #await(lowerName: string): VariableGetter {
    const known = this.#awaited.get(lowerName);
    const awaited = known ?? { name: lowerName, pos: this.pos, getter: null };
    if (known === undefined) this.#awaited.set(lowerName, awaited);
    return (ex) => (awaited.getter === null ? null : awaited.getter(ex));
  }
}

/** `$1`: of the regex that matched last, the location's or the server_name's. */
function captureGetter(index: number): VariableGetter {
  return (ex) => (ex.captures ?? ex.serverCaptures)?.[index] ?? null;
}

function changeableGetter(variable: Changeable): VariableGetter {
  const { slot } = variable;
  return (ex) => {
    const value = ex.slots[slot];
    return value === undefined ? firstValue(variable, ex) : value;
  };
}

/** How deep variables may be made of variables (`map $a $b { … $a; }`): nginx's limit. */
const MAX_DEPTH = 255;
let depth = 0;

/** Of a variable that nothing has set in this request. */
function firstValue({ name, slot, compute, isVolatile, isQuiet }: Changeable, ex: Exchange): string | null {
  if (compute !== null) {
    if (depth === MAX_DEPTH) {
      ex.location.errorLog.write('error', ex, `cycle while evaluating variable "${name}"${whileLogging(ex)}`);
      return null;
    }
    depth++;
    try {
      const value = compute(ex);
      if (!isVolatile) ex.slots[slot] = value;
      return value;
    } finally {
      depth--;
    }
  }
  if (isQuiet) return null;
  if (ex.location.warnsOfUninitialized) {
    ex.location.errorLog.write('warn', ex, `using uninitialized "${name}" variable${whileLogging(ex)}`);
    ex.slots[slot] = '';
  }
  return '';
}

/** What nginx adds to everything that it says in the log phase. */
function whileLogging(ex: Exchange): string {
  return ex.isLogged ? ' while logging request' : '';
}
