import type { SourcePos } from './tree.ts';

export const SEVERITIES = ['emerg', 'warn'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** A finding about the configuration. `text` is in nginx's words, without the position. `emerg` refuses the configuration, `warn` does not. */
export interface Diagnostic {
  readonly severity: Severity;
  readonly text: string;
  readonly pos: SourcePos | null;
}

/** `text in file:line`, as nginx ends every finding; `text in command line` for what came with `-g`. */
export function formatDiagnostic(finding: Diagnostic): string {
  return finding.pos === null ? finding.text : `${finding.text} in ${formatPos(finding.pos)}`;
}

/** `included from file:line` for each `include` that led to the finding, innermost first; empty in the main file. nginx prints none of it. */
export function includeChain(finding: Diagnostic): string[] {
  const chain: string[] = [];
  for (let pos = finding.pos?.via; pos !== undefined; pos = pos.via) chain.push(`included from ${formatPos(pos)}`);
  return chain;
}

/** True when a finding refuses the configuration. */
export function hasEmerg(findings: readonly Diagnostic[]): boolean {
  return findings.some((finding) => finding.severity === 'emerg');
}

function formatPos(pos: SourcePos): string {
  return pos.line === 0 ? pos.file : `${pos.file}:${pos.line}`;
}

/** Thrown by value parsers and directive rows; caught where the directive's position is known and turned into a Diagnostic. */
export class ConfigError extends Error {
  /** Where the finding belongs when that is not the directive at hand; null: the directive at hand. */
  readonly pos: SourcePos | null;

  constructor(text: string, pos: SourcePos | null = null) {
    super(text);
    this.name = 'ConfigError';
    this.pos = pos;
  }
}
