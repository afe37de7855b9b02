import { nowMs } from '../../core/clock.ts';
import { failed, type ProbeResult, timedOut } from '../probe.ts';
import { socketFailure } from '../socket-failure.ts';
import type { CheckOutcome, StackCheck } from './stack-check.ts';

/** A probe that does not let go in time is left behind after this. */
const GRACE_MS = 250;

export interface RunOptions {
  /** For each check by itself. */
  readonly timeoutMs: number;
  /** Ends them all early; they count as not passed. */
  readonly signal?: AbortSignal;
}

/** All at once, in the order given; never rejects. */
export function runChecks(checks: readonly StackCheck[], options: RunOptions): Promise<CheckOutcome[]> {
  return Promise.all(checks.map((check) => runCheck(check, options)));
}

async function runCheck({ kind, label, target, probe }: StackCheck, options: RunOptions): Promise<CheckOutcome> {
  const startedAtMs = nowMs();
  const limit = new AbortController();
  const end = (): void => limit.abort();
  const timer = setTimeout(end, options.timeoutMs);
  let grace: NodeJS.Timeout | undefined;
  options.signal?.addEventListener('abort', end, { once: true });
  if (options.signal?.aborted === true) end();
  const overdue = new Promise<ProbeResult>((resolve) => {
    grace = setTimeout(() => resolve(timedOut('waiting for the probe')), options.timeoutMs + GRACE_MS);
  });
  // Probes don't reject; one that does has not seen that all is well.
  const looked = probe.run(target, limit.signal).catch((error: unknown) => failed('probing', socketFailure(error)));
  const result = await Promise.race([looked, overdue]);
  clearTimeout(timer);
  clearTimeout(grace);
  options.signal?.removeEventListener('abort', end);
  const { isPassed, doing, facts } = result;
  const isTooLate = !isPassed && limit.signal.aborted && result.reason === 'timed out';
  const reason = isTooLate ? `timed out after ${options.timeoutMs} ms, ${doing}` : result.reason;
  return { kind, label, isHealthy: isPassed, doing, reason, facts, durationMs: nowMs() - startedAtMs };
}
