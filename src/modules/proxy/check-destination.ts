import type { Recyclable } from '../../http/exchange.ts';
import type { Destination } from './pass-to.ts';

/** Where a health check goes: `$proxy_host` and `$proxy_port` of its request. */
export class CheckDestination implements Recyclable {
  readonly destination: Destination;

  constructor(destination: Destination) {
    this.destination = destination;
  }

  recycle(): void {
    // nothing is lent
  }
}
