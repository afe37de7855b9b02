import type { ByteSet } from './byte-set.ts';

/** Where a position assertion holds, in PCRE's meaning without DOLLAR_ENDONLY. */
export const ASSERTIONS = [
  'start',
  'line-start',
  'end',
  'line-end',
  'very-end',
  'word-boundary',
  'no-word-boundary',
] as const;
export type Assertion = (typeof ASSERTIONS)[number];

export type RepeatMode = 'greedy' | 'lazy' | 'possessive';

/** A parsed pattern. Options (`i`, `s`, `m`, `x`) are already worked into it. */
export type PatternNode =
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly branches: readonly PatternNode[] }
  | { readonly kind: 'capture'; readonly index: number; readonly body: PatternNode }
  | { readonly kind: 'atomic'; readonly body: PatternNode }
  | { readonly kind: 'look'; readonly isBehind: boolean; readonly isNegated: boolean; readonly body: PatternNode }
  | {
      readonly kind: 'repeat';
      readonly body: PatternNode;
      readonly min: number;
      readonly max: number;
      readonly mode: RepeatMode;
    }
  | { readonly kind: 'back-reference'; readonly indexes: readonly number[]; readonly ignoresCase: boolean }
  | { readonly kind: 'assertion'; readonly assertion: Assertion };

export interface GroupName {
  readonly name: string;
  /** Number of the capture that it names. */
  readonly index: number;
}

export interface ParsedPattern {
  readonly root: PatternNode;
  /** Captures, `$0` not counted. */
  readonly captureCount: number;
  readonly groupNames: readonly GroupName[];
}
