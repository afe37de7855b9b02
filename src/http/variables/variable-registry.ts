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

/**
 * All variables of one configuration. Names are looked up at compile time only, in any case; what a text becomes is a function.
 * As in nginx, the order in the file does not matter: a name may be used before the `map` or capture that defines it, so
 * `finish()` has the last word.
 */
export class VariableRegistry implements VariableCompiler {
  pos: SourcePos | null = null;
  readonly #fixed = new Map<string, VariableDef>();
  readonly #prefixed: VariableDef[] = [];
  readonly #slots = new Map<string, number>();
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
    const lowerName = lowerCase(name);
    const known = this.#slots.get(lowerName);
    if (known !== undefined) return known;
    if (this.#fixed.has(lowerName)) throw new ConfigError(`the duplicate "${lowerName}" variable`);
    const slot = this.#slots.size;
    this.#slots.set(lowerName, slot);
    return slot;
  }

  define(def: VariableDef): void {
    if (this.#fixed.has(def.name)) throw new ConfigError(`the duplicate "${def.name}" variable`);
    this.#fixed.set(def.name, def);
  }

  /** How many slots there are. */
  get slotCount(): number {
    return this.#slots.size;
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
    // 1. a value set by the configuration, 2. a variable of that name, 3. a family
    const slot = this.#slots.get(lowerName);
    if (slot !== undefined) return (ex: Exchange) => ex.slots[slot] ?? null;
    const fixed = this.#fixed.get(lowerName);
    if (fixed !== undefined) return fixed.compile('');
    for (const family of this.#prefixed) {
      if (lowerName.startsWith(family.name)) return family.compile(lowerName.slice(family.name.length));
    }
    return null;
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
