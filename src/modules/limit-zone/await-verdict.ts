import type { ContentState, Exchange } from '../../http/exchange.ts';
import { NEXT, PENDING, type PhaseResult } from '../../http/location.ts';
import { runPhases } from '../../http/phases.ts';

/** Waits for the primary; the client's going away is told to whoever comes after. */
class Waiting implements ContentState {
  isClientGone = false;

  onClientAborted(): void {
    this.isClientGone = true;
  }

  onWritable(): void {
    // nothing was written
  }
}

/**
 * A phase handler whose verdict may come later: `ask` gives it at once, or null and then calls `done`. `act` is what it means; on NEXT the
 * phases go on.
 */
export function awaitVerdict<V>(
  ex: Exchange,
  ask: (done: (verdict: V) => void) => V | null,
  act: (verdict: V) => PhaseResult,
): PhaseResult {
  const waiting = new Waiting();
  const verdict = ask((late) => {
    ex.content = null;
    if (act(late) === NEXT) runPhases(ex);
    // An exchange that was answered has no content any more, and a client that is gone sends no other request.
    if (waiting.isClientGone) (ex.content as ContentState | null)?.onClientAborted();
  });
  if (verdict !== null) return act(verdict);
  ex.content = waiting;
  return PENDING;
}
