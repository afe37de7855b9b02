import type { DirectiveUse } from '../../config/directive-spec.ts';
import { rawEntries } from '../../config/raw-block.ts';

/** `types { text/html html htm; … }`. `known`: what an earlier block of the same scope said; null: nothing. */
export function parseTypes(use: DirectiveUse, known: ReadonlyMap<string, string> | null): ReadonlyMap<string, string> {
  const types = new Map(known ?? []);
  for (const { name: type, args } of rawEntries(use)) {
    for (const extension of args.map((arg) => arg.toLowerCase())) {
      const previous = types.get(extension);
      if (previous !== undefined) {
        use.warn(`duplicate extension "${extension}", content type: "${type}", previous content type: "${previous}"`);
      }
      types.set(extension, type);
    }
  }
  return types;
}
