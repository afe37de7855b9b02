import { respondStatus } from '../../http/error-response.ts';
import type { Exchange } from '../../http/exchange.ts';

/**
 * Answers when `work` is done, also when the client has ended its side: as nginx, which answers at once, and because nobody else would end
 * the exchange. What is written to a client that is gone is dropped by its stream.
 */
export function answerLater<T>(ex: Exchange, work: Promise<T>, answer: (result: T) => void): void {
  ex.content = {
    onClientAborted: () => undefined, // the work takes no longer for it
    onWritable: () => undefined, // the answer is one write
  };
  work.then(
    (result) => {
      ex.content = null;
      answer(result);
    },
    () => respondStatus(ex, 500),
  );
}
