import type { Exchange } from '../../http/exchange.ts';
import type { VariableDef } from '../../http/variable.ts';
import { ProxyRequest } from './attempt-loop.ts';
import { CheckDestination } from './check-destination.ts';
import type { Destination } from './pass-to.ts';

function destinationOf(ex: Exchange): Destination | null {
  const { recyclable } = ex;
  const isKnown = recyclable instanceof ProxyRequest || recyclable instanceof CheckDestination;
  return isKnown ? recyclable.destination : null;
}

/** The client's X-Forwarded-For fields and its address behind them. */
function addForwardedFor(ex: Exchange): string {
  const said = ex.request.headers.getAll('x-forwarded-for').filter((value) => value !== '');
  return [...said, ex.connection.remoteAddress].join(', ');
}

export const PROXY_VARIABLES: readonly VariableDef[] = [
  { name: 'proxy_host', compile: () => (ex) => destinationOf(ex)?.host ?? null, isChangeable: true },
  { name: 'proxy_port', compile: () => (ex) => destinationOf(ex)?.port ?? null, isChangeable: true },
  { name: 'proxy_add_x_forwarded_for', compile: () => addForwardedFor },
];
