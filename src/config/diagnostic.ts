import type { SourcePos } from './tree.ts';

export const SEVERITIES = ['emerg', 'warn'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** A finding about the configuration. `text` is in nginx's words, without the position. `emerg` refuses the configuration, `warn` does not. */
export interface Diagnostic {
  readonly severity: Severity;
  readonly text: string;
  readonly pos: SourcePos | null;
}

/** `text in file:line`, as nginx ends every finding. */
export function formatDiagnostic(finding: Diagnostic): string {
  return finding.pos === null ? finding.text : `${finding.text} in ${finding.pos.file}:${finding.pos.line}`;
}

/** Thrown by value parsers and directive rows; caught where the directive's position is known and turned into a Diagnostic. */
export class ConfigError extends Error {
  constructor(text: string) {
    super(text);
    this.name = 'ConfigError';
  }
}
