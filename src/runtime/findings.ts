import { ConfigError, type Diagnostic } from '../config/diagnostic.ts';
import type { SourcePos } from '../config/tree.ts';
import type { VariableCompiler } from '../http/variable.ts';

/** What compiling has to say; one mistake does not keep the next from being found. */
export class Findings {
  readonly diagnostics: Diagnostic[] = [];
  readonly #said = new Set<string>();

  /** Runs `work`; a ConfigError becomes a finding at its own position, else at `pos`. */
  collect(pos: SourcePos | null, work: () => void): void {
    this.#catching(work, () => pos);
  }

  /** Lets a module compile what stands at `pos`; it may set `variables.pos` to the very directive that it compiles. */
  collectCompile(pos: SourcePos | null, variables: VariableCompiler, work: () => void): void {
    variables.pos = pos;
    this.#catching(work, () => variables.pos);
  }

  #catching(work: () => void, posOf: () => SourcePos | null): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.add('emerg', error.message, error.pos ?? posOf());
    }
  }

  add(severity: Diagnostic['severity'], text: string, pos: SourcePos | null): void {
    const key = `${severity} ${pos?.file}:${pos?.line} ${text}`;
    if (this.#said.has(key)) return;
    this.#said.add(key);
    this.diagnostics.push({ severity, text, pos });
  }
}
