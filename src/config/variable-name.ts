import type { DirectiveUse } from './directive-spec.ts';

/** `$name` -> `name`; otherwise nginx's finding. */
export function variableName(use: DirectiveUse, text: string): string {
  return text.startsWith('$') ? text.slice(1) : use.fail(`invalid variable name "${text}"`);
}
