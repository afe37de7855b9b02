import type { Exchange } from '../../../src/http/exchange.ts';
import type { Template } from '../../../src/http/variable.ts';

/** What groups read of an exchange: the client's address and, through `keyTemplate`, a key. */
export function fakeExchange(remoteAddress = '127.0.0.1', key = ''): Exchange {
  return { connection: { remoteAddress }, args: key } as unknown as Exchange;
}

export const keyTemplate: Template = { constant: null, evaluate: (ex) => ex.args };
