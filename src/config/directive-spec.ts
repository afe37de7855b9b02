import type { Context } from './contexts.ts';
import type { Scope } from './scope.ts';
import type { Directive, SourcePos } from './tree.ts';

/** How many arguments: exactly n, from..to (`Infinity` allowed), or one of `on`/`off`. */
export type ArgCount = number | readonly [min: number, max: number] | 'flag';

/** What a row's `parse` or `apply` sees of the directive at hand. */
export interface DirectiveUse {
  readonly name: string;
  readonly args: readonly string[];
  readonly block: readonly Directive[] | null;
  readonly pos: SourcePos;
  /** Where its block ends; `pos` without a block. */
  readonly end: SourcePos;
  /** The scope that the directive stands in. */
  readonly scope: Scope;
  /** For a directive that opens a block of its own context: the new scope. Null for the others. */
  readonly opened: Scope | null;
  /** Ends the directive with a finding in nginx's words; the position is added. */
  fail(text: string): never;
  /** Adds a warning, at the directive or at the line of its block that `pos` says; parsing goes on. */
  warn(text: string, pos?: SourcePos): void;
}

/**
 * One directive = one row. Arity, contexts, duplicates, parsing, inheritance, default, `-T` and the reference table all come from here.
 *
 * The walker checks, in nginx's order and with nginx's words: known, allowed in this context, `;` or `{` as it must be, number of arguments,
 * `on`/`off`, duplicate. Then it calls `parse` (result goes to `field`) or `apply`.
 */
export interface DirectiveSpec<C extends object> {
  readonly name: string;
  readonly contexts: Context;
  readonly args: ArgCount;
  /** Context that its block opens (`server` opens SERVER); 'raw' when the block's content is the row's own business (`types`, `map`). Absent: no block. */
  readonly block?: Context | 'raw';
  /** The configuration field that it sets. Absent: `apply` does it all. */
  readonly field?: keyof C & string;
  /**
   * Value of the field, from the arguments. Throws ConfigError (or calls use.fail) for a bad value.
   * Absent: a flag gives a boolean, one argument its text, several the array of them.
   */
  readonly parse?: (use: DirectiveUse) => unknown;
  /** 'error' (default): `"x" directive is duplicate`. 'append': the field is an array. 'last': the later one wins. Rows without `field`: any number, unless 'error' is said. */
  readonly repeat?: 'error' | 'append' | 'last';
  /** Free form: writes into `conf` (the values set in this very scope). Called for rows without `field`, after `parse` for those with. */
  readonly apply?: (conf: Partial<C>, use: DirectiveUse) => void;
  /** 'replace' (default): a scope without the directive has its parent's value. 'none': it has the default. */
  readonly inherit?: 'replace' | 'none';
  /** Arguments as nginx's documentation writes them, for the reference table: `time`, `number | auto`. */
  readonly syntax?: string;
  /** How the default reads in the reference table; the value itself stands in the module's `defaults`. */
  readonly defaultText?: string;
  /** One sentence, for the reference table. */
  readonly doc: string;
}

/** The configuration half of a module: the shape of its values, their defaults and its rows. */
export interface ConfModule<C extends object> {
  readonly name: string;
  /** A fresh set of defaults: what a scope has when nothing was said in it or above it. */
  readonly defaults: () => C;
  readonly rows: readonly DirectiveSpec<C>[];
  /**
   * Merging beyond field-wise inheritance. `merged` already has own ?? parent ?? default for each field; change it in place.
   * May throw ConfigError.
   */
  readonly finish?: (merged: C, own: Partial<C>, scope: Scope) => void;
}

/** Any module, whatever its values' shape: what lists of modules hold. */
// biome-ignore lint/suspicious/noExplicitAny: the list is heterogeneous; each module is checked where it is defined.
export type AnyConfModule = ConfModule<any>;

/** Gives a row its module's type; nothing else. */
export function directive<C extends object>(row: DirectiveSpec<C>): DirectiveSpec<C> {
  return row;
}
