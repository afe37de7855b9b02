import type { Exchange } from './exchange.ts';
import type { Pattern } from './pcre/compile-pattern.ts';
import type { VariableCompiler } from './variable.ts';

/** A regex of a location or a server name: matches a text and gives its captures to the exchange. */
export interface CapturingMatch {
  matches(subject: string, ex: Exchange): boolean;
  /** Matches without keeping what was captured. */
  test(subject: string): boolean;
}

/** Of a pattern that matched and captures nothing: `$1` is empty then, whatever matched before. */
export const NO_CAPTURES: readonly string[] = [];

/** `$1` and kin, and the variables that the pattern names. `isServer`: captures of a server name, which those of a location hide. */
export function capturingMatch(pattern: Pattern, variables: VariableCompiler, isServer: boolean): CapturingMatch {
  const names = pattern.groupNames.map(({ name, index }) => ({ index, slot: variables.slot(name) }));
  if (pattern.captureCount === 0) {
    return {
      test: (subject) => pattern.test(subject),
      matches(subject, ex) {
        if (!pattern.test(subject)) return false;
        ex.captures = NO_CAPTURES;
        return true;
      },
    };
  }
  return {
    test: (subject) => pattern.test(subject),
    matches(subject, ex) {
      const captures = pattern.exec(subject);
      if (captures === null) return false;
      if (isServer) ex.serverCaptures = captures;
      else ex.captures = captures;
      for (const { index, slot } of names) ex.slots[slot] = captures[index] ?? '';
      return true;
    },
  };
}
