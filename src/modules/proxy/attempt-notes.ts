import type { AttemptEnd, AttemptReport } from '../../policy/retry.ts';

/** One attempt's report to the retry gate; one object per request, overwritten. */
export class AttemptNotes implements AttemptReport {
  end: AttemptEnd = 'error';
  status = 0;
  isRequestSent = false;
  isNonIdempotent = false;
  isBodyGone = false;
  /** Never asked after the head has gone. */
  readonly isHeadSent = false;
  isReused = false;
  isResponseBegun = false;
  tries = 0;
  elapsedMs = 0;

  reset(): void {
    this.end = 'error';
    this.status = 0;
    this.isRequestSent = false;
    this.isNonIdempotent = false;
    this.isBodyGone = false;
    this.isReused = false;
    this.isResponseBegun = false;
    this.tries = 0;
    this.elapsedMs = 0;
  }
}
