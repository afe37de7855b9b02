import type { SourcePos } from '../config/tree.ts';
import type { Exchange } from './exchange.ts';

/** A variable's value for an exchange: a byte string, or null for "not found" (printed as '' or `-` by logs). */
export type VariableGetter = (ex: Exchange) => string | null;

/**
 * One variable, or with `isPrefix` a family (`http_`, `arg_`): `compile` gets the rest of the name, once, at compile time.
 */
export interface VariableDef {
  /** Lower-case name without `$`. */
  readonly name: string;
  readonly isPrefix?: boolean;
  readonly compile: (rest: string) => VariableGetter;
  /** What `set` does with it. Absent: `set` and `map` are refused, as with most of nginx's own. */
  readonly assign?: (ex: Exchange, value: string) => void;
  /** `set`, `map` and kin may put a value of their own in its place. */
  readonly isChangeable?: boolean;
  /** Of one that a directive defines: computed anew at each use (`volatile`). Otherwise once per request. */
  readonly isVolatile?: boolean;
}

/** Text with variables, compiled once. */
export interface Template {
  /** The text when it has no variables; null when it has. */
  readonly constant: string | null;
  evaluate(ex: Exchange): string;
}

/** What modules use at compile time to turn `"$host:$server_port"` into a Template. */
export interface VariableCompiler {
  /** Where the text at hand stands, for findings that come when all is compiled; set before compiling. Null: not known. */
  pos: SourcePos | null;
  /**
   * Throws ConfigError for a text that is written wrongly. `$1`..`$9` read the last regex's captures. A name that nothing has defined
   * yet may be defined later; `unknown "x" variable` is said when all is compiled.
   */
  template(text: string): Template;
  /** A single variable by name without `$`. */
  variable(name: string): VariableGetter;
  /** Adds a variable that a directive defines by what it computes (`map`, `geo`). Throws ConfigError when nginx has one of that name. */
  define(def: VariableDef): void;
  /** A slot for a named capture: defines the variable `name`, which is not found until something matched. Same name, same slot. */
  slot(name: string): number;
  /**
   * What `set` does: defines the variable `name` and gives its assignment. Throws ConfigError when it can't be changed.
   * `isQuiet`: as long as nothing was assigned it is not found, and nothing is said about that.
   */
  assignment(name: string, isQuiet?: boolean): (ex: Exchange, value: string) => void;
}
