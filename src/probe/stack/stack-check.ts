import type { Probe, ProbeFacts, ProbeTarget } from '../probe.ts';

/** What can be asked of a stack. `postgres` and `redis` are servers whose role is found, not given; `sentinels` is what several Sentinels say together. */
export const CHECK_KINDS = [
  'balancer',
  'api',
  'backend',
  'postgres',
  'postgres_primary',
  'postgres_replica',
  'redis',
  'redis_master',
  'redis_replica',
  'sentinel',
  'sentinels',
] as const;
export type CheckKind = (typeof CHECK_KINDS)[number];

/** One thing to look at. */
export interface StackCheck {
  readonly kind: CheckKind;
  /** As the user named it: a URL, `host:port`. */
  readonly label: string;
  readonly target: ProbeTarget;
  readonly probe: Probe;
}

/** What came of it. */
export interface CheckOutcome {
  readonly kind: CheckKind;
  readonly label: string;
  readonly isHealthy: boolean;
  /** What was being done when it failed; what was checked last when it did not. */
  readonly doing: string;
  /** '' when it is well. */
  readonly reason: string;
  readonly facts: ProbeFacts;
  readonly durationMs: number;
}

/** The outcome turned bad by what others told; what was wrong with it already comes behind. */
export function blamed(outcome: CheckOutcome, doing: string, reason: string): CheckOutcome {
  const reasons = outcome.isHealthy ? [reason] : [reason, outcome.reason];
  return { ...outcome, isHealthy: false, doing, reason: reasons.join('; ') };
}
