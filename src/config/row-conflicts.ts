import { contextNames } from './contexts.ts';
import type { AnyConfModule } from './directive-spec.ts';

/**
 * Rows of one name that fit the same context, of which the walk would only ever choose the first: `"x" in http: core, accepted`.
 * Empty for a sound list of modules; a test over the program's own list asserts it.
 */
export function rowConflicts(modules: readonly AnyConfModule[]): string[] {
  const owners = new Map<string, string[]>();
  for (const module of modules) {
    for (const row of module.rows) {
      for (const context of contextNames(row.contexts)) {
        const place = `"${row.name}" in ${context}`;
        owners.set(place, [...(owners.get(place) ?? []), module.name]);
      }
    }
  }
  return [...owners].filter(([, names]) => names.length > 1).map(([place, names]) => `${place}: ${names.join(', ')}`);
}
