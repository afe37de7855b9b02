import { nowMs, wallMs } from '../core/clock.ts';
import { hideSecrets } from '../probe/stack/hide-secrets.ts';
import { judgeStack } from '../probe/stack/judge-stack.ts';
import { runChecks } from '../probe/stack/run-checks.ts';
import type { CheckOutcome } from '../probe/stack/stack-check.ts';
import type { CheckFlags } from './check-flags.ts';
import type { CheckPlan } from './check-plan.ts';

/** One round over everything that was asked for. */
export interface Look {
  readonly outcomes: readonly CheckOutcome[];
  readonly startedWallMs: number;
  readonly durationMs: number;
}

/** Looks at all of it at once, and judges it together. Never rejects. `signal` ends it early; what was not seen by then is not well. */
export async function lookAtStack(plan: CheckPlan, flags: CheckFlags, signal?: AbortSignal): Promise<Look> {
  const [startedAtMs, startedWallMs] = [nowMs(), wallMs()];
  const { timeoutMs, maxLagBytes, masterName } = flags;
  const outcomes = await runChecks(await plan.checks(), { timeoutMs, ...(signal === undefined ? {} : { signal }) });
  const judged = judgeStack(outcomes, { maxLagBytes, masterName });
  return {
    outcomes: judged.map((outcome) => hideSecrets(outcome, plan.secrets)),
    startedWallMs,
    durationMs: nowMs() - startedAtMs,
  };
}
