import { ConfigError } from './diagnostic.ts';
import type { DirectiveUse } from './directive-spec.ts';
import type { Directive } from './tree.ts';

/**
 * The lines of a block whose content is the row's own business (`types`, `map`): `name` and `args` are its words. Includes are
 * resolved already. A block within it, or a misused `include`, is refused as nginx does, at its own line; the row may refuse a
 * line the same way: `throw new ConfigError(text, entry.pos)`.
 */
export function rawEntries(use: DirectiveUse): readonly Directive[] {
  const entries = rawLines(use);
  for (const entry of entries) {
    if (entry.name === 'include' && entry.args.length !== 1) {
      throw new ConfigError('invalid number of arguments in "include" directive', entry.pos);
    }
  }
  return entries;
}

/** The same for rows that say with their own words what is wrong with an `include` of two names. */
export function rawLines(use: DirectiveUse): readonly Directive[] {
  const entries = use.block ?? [];
  for (const entry of entries) if (entry.block !== null) throw new ConfigError('unexpected "{"', entry.pos);
  return entries;
}
