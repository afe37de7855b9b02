import type { CheckReport } from '../probe/health-keeper.ts';
import type { ResolvedAddress } from '../upstream/resolved-names.ts';
import type { WorkerConfig } from './messages.ts';

/** Primary to the process that checks. */
export type ToChecker =
  /** This configuration's checks and no others, from now on. */
  | { readonly type: 'config'; readonly config: WorkerConfig }
  /** A name that had no address has some now. */
  | { readonly type: 'name'; readonly name: string; readonly addresses: readonly ResolvedAddress[] };

/** The process that checks to the primary. */
export type FromChecker =
  | { readonly type: 'report'; readonly report: CheckReport }
  /** It ends by a fault of its own; for the log. */
  | { readonly type: 'fault'; readonly text: string };

const MAX_TEXT_CHARS = 65_536;

/** It talks to peers, and has fewer rights than the primary: what it says is looked at, as with workers. */
export function isFromChecker(message: unknown): message is FromChecker {
  if (typeof message !== 'object' || message === null) return false;
  const { type, report, text } = message as { type?: unknown; report?: unknown; text?: unknown };
  if (type === 'fault') return isText(text);
  if (type !== 'report' || typeof report !== 'object' || report === null) return false;
  const { check, peer, isPassed, doing, reason, tookMs } = report as Record<string, unknown>;
  return [check, peer, doing, reason].every(isText) && typeof isPassed === 'boolean' && Number.isFinite(tookMs);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_TEXT_CHARS;
}
