import type { Diagnostic } from './diagnostic.ts';
import type { AnyConfModule } from './directive-spec.ts';
import { type LoadRequest, loadConfig } from './load.ts';
import type { Scope } from './scope.ts';
import type { ConfigSnapshot, SourcePos } from './tree.ts';
import { readScopes } from './walk.ts';

export interface ReadConfig {
  readonly snapshot: ConfigSnapshot;
  readonly main: Scope;
  /** All findings, of reading and of meaning, in the order in which nginx would come to them. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Files -> scopes in one go: what start, `-t` and reload do. Refused when `hasEmerg(diagnostics)`. */
export function readConfig(request: LoadRequest, modules: readonly AnyConfModule[]): ReadConfig {
  const loaded = loadConfig(request);
  const walked = readScopes(loaded.snapshot.tree, modules, { merge: loaded.isComplete });
  const isFound = (finding: Diagnostic): boolean => finding.pos !== null;
  // What has no position (the main file is missing) ends nginx at once.
  const diagnostics = [
    ...loaded.diagnostics.filter((finding) => !isFound(finding)),
    ...mergeByPosition(loaded.diagnostics.filter(isFound), walked.diagnostics, loaded.snapshot),
  ];
  return { snapshot: loaded.snapshot, main: walked.main, diagnostics };
}

/** Puts each finding of `inserted` before the first of `findings` that stands behind it. */
function mergeByPosition(
  inserted: readonly Diagnostic[],
  findings: readonly Diagnostic[],
  snapshot: ConfigSnapshot,
): Diagnostic[] {
  const merged = [...findings];
  for (const finding of inserted) {
    const at = merged.findIndex((other) => other.pos !== null && isBefore(finding.pos, other.pos, snapshot));
    merged.splice(at === -1 ? merged.length : at, 0, finding);
  }
  return merged;
}

function isBefore(a: SourcePos | null, b: SourcePos, snapshot: ConfigSnapshot): boolean {
  const left = a === null ? [] : readingOrder(a, snapshot);
  const right = readingOrder(b, snapshot);
  for (const [index, value] of left.entries()) {
    const other = right[index];
    if (other === undefined) return false;
    if (value !== other) return value < other;
  }
  return left.length < right.length;
}

/** File, line and offset of each include on the way, outermost first, as numbers that compare; `-g` comes before all files. */
function readingOrder(pos: SourcePos, snapshot: ConfigSnapshot): number[] {
  const order: number[] = [];
  for (let at: SourcePos | undefined = pos; at !== undefined; at = at.via) {
    const { file } = at;
    order.unshift(
      snapshot.files.findIndex((known) => known.path === file),
      at.line,
      at.offset ?? 0,
    );
  }
  return order;
}
