export interface Pace {
  /** `limit_rate`, bytes per second; above 0. */
  readonly bytesPerSec: number;
  /** `limit_rate_after`: bytes that don't count. */
  readonly afterBytes: number;
}

/**
 * nginx's rate arithmetic: what may have passed after `elapsedMs`, in whole seconds begun.
 * Positive: so many bytes may go now. Zero or less: none before `-result * 1000 / rate` ms.
 */
export function rateAllowance(bytesPerSec: number, elapsedMs: number, passedBytes: number): number {
  return bytesPerSec * (Math.floor(elapsedMs / 1000) + 1) - passedBytes;
}

/** How long to wait when the allowance is used up. */
export function rateDelayMs(bytesPerSec: number, allowanceBytes: number): number {
  return Math.floor((-allowanceBytes * 1000) / bytesPerSec) + 1;
}
