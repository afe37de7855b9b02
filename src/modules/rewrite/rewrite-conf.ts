import type { Scope } from '../../config/scope.ts';
import type { SourcePos } from '../../config/tree.ts';
import type { Pattern } from '../../http/pcre/compile-pattern.ts';
import type { ReturnConf } from './return.ts';

/** What the rewrite directives of one block say, in their order: they are a small program, and not inherited. */
export interface RewriteConf {
  steps: readonly RewriteStep[];
  /** `rewrite_log`: matches and results go to the error log, level notice. */
  logs: boolean;
  warnsOfUninitialized: boolean;
}

export type RewriteStep =
  | { readonly kind: 'rewrite'; readonly rewrite: RewriteRule; readonly pos: SourcePos }
  | { readonly kind: 'return'; readonly return: ReturnConf; readonly pos: SourcePos }
  | { readonly kind: 'set'; readonly name: string; readonly value: string; readonly pos: SourcePos }
  | { readonly kind: 'break'; readonly pos: SourcePos }
  | { readonly kind: 'if'; readonly condition: Condition; readonly scope: Scope; readonly pos: SourcePos };

/** `rewrite PATTERN REPLACEMENT [flag]`. */
export interface RewriteRule {
  readonly pattern: Pattern;
  /** Without the `?` at the end that drops the request's own arguments. */
  readonly replacement: string;
  readonly addsArgs: boolean;
  /** Status of a redirect; 0 = none: the request goes on with another URI. */
  readonly redirectStatus: number;
  /** `break`: no other location is looked for. */
  readonly isBreak: boolean;
  /** Nothing behind it runs once it has matched. */
  readonly isLast: boolean;
}

/** What stands in the parentheses of `if`. Names are without `$`. */
export type Condition =
  | { readonly kind: 'set'; readonly name: string }
  | { readonly kind: 'equal'; readonly name: string; readonly value: string; readonly isNegative: boolean }
  | { readonly kind: 'match'; readonly name: string; readonly pattern: Pattern; readonly isNegative: boolean }
  | { readonly kind: 'file'; readonly test: FileTest; readonly path: string; readonly isNegative: boolean };

/** `-f`, `-d`, `-e`, `-x`. */
export type FileTest = 'f' | 'd' | 'e' | 'x';
