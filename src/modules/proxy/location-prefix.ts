import { LIMIT_EXCEPT, LOCATION, LOCATION_IF } from '../../config/contexts.ts';
import type { Scope } from '../../config/scope.ts';

/** The fixed prefix (or whole path, for `=`) that a location's URIs begin with; null for a regex or named one, and for blocks without a name. */
export function locationPrefix(scope: Scope): string | null {
  if (scope.context !== LOCATION) return null;
  const [first = '', second] = scope.args;
  if (second !== undefined) return first === '=' || first === '^~' ? second : null;
  if (/^[~@]/.test(first)) return null;
  return first.replace(/^(=|\^~)/, '');
}

/** The location that `if` and `limit_except` stand in: what they inherit from it goes by its prefix. */
export function namedScope(scope: Scope): Scope {
  const isNameless = (scope.context & (LOCATION_IF | LIMIT_EXCEPT)) !== 0;
  return isNameless && scope.parent !== null ? namedScope(scope.parent) : scope;
}
