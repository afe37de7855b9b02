import type { ProbeFacts } from '../probe/probe.ts';
import { outcomeDetail, outcomeName } from '../probe/stack/describe-outcome.ts';
import type { CheckKind, CheckOutcome } from '../probe/stack/stack-check.ts';

/** What `evenkeel check --json` prints: see `src/cli/README.md`. A field may be added; `schema` changes when one changes or goes. */
export interface CheckDocument {
  readonly schema: 1;
  /** Everything that was asked for is well. */
  readonly healthy: boolean;
  /** RFC 3339, when the round began. */
  readonly at: string;
  readonly duration_ms: number;
  readonly checks: readonly CheckEntry[];
}

export interface CheckEntry {
  readonly kind: CheckKind;
  /** For people: `PostgreSQL primary`. */
  readonly name: string;
  /** As it was asked for: a URL, `host:port`. */
  readonly target: string;
  readonly healthy: boolean;
  /** What was being done when it failed; what was checked last when it is well. */
  readonly doing: string;
  /** Why it is not well; '' when it is. */
  readonly reason: string;
  /** As in the table's last column. */
  readonly detail: string;
  readonly duration_ms: number;
  /** What was seen; which facts there are depends on the kind and on how far the look came. */
  readonly facts: ProbeFacts;
}

/** One round, for programs. */
export function checkDocument(
  outcomes: readonly CheckOutcome[],
  startedWallMs: number,
  durationMs: number,
): CheckDocument {
  return {
    schema: 1,
    healthy: areAllHealthy(outcomes),
    at: new Date(startedWallMs).toISOString(),
    duration_ms: tenths(durationMs),
    checks: outcomes.map((outcome) => ({
      kind: outcome.kind,
      name: outcomeName(outcome),
      target: outcome.label,
      healthy: outcome.isHealthy,
      doing: outcome.doing,
      reason: outcome.reason,
      detail: outcomeDetail(outcome),
      duration_ms: tenths(outcome.durationMs),
      facts: outcome.facts,
    })),
  };
}

/** False for no outcome at all: what was not looked at is not known to be well. */
export function areAllHealthy(outcomes: readonly CheckOutcome[]): boolean {
  return outcomes.length > 0 && outcomes.every(({ isHealthy }) => isHealthy);
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
