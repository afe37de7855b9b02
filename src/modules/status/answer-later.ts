import { respondStatus } from '../../http/error-response.ts';
import type { Exchange } from '../../http/exchange.ts';

/** Answers when `work` is done, unless the client went away before. */
export function answerLater<T>(ex: Exchange, work: Promise<T>, answer: (result: T) => void): void {
  let isGone = false;
  const state = {
    onClientAborted: () => {
      isGone = true;
    },
    onWritable: () => undefined, // the answer is one write
  };
  ex.content = state;
  work.then(
    (result) => {
      if (isGone) return;
      ex.content = null;
      answer(result);
    },
    () => {
      if (!isGone) respondStatus(ex, 500);
    },
  );
}
