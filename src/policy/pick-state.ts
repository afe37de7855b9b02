import { TriedSet } from './tried-set.ts';

/** What a balancer remembers of one request from pick to pick. Reused from request to request. */
export class PickState {
  readonly tried = new TriedSet();
  /** Key of `hash`, evaluated; '' = no key (round robin then). A byte string. */
  key = '';
  /** Client's address for `ip_hash`: 3 bytes of IPv4, 16 of IPv6. */
  address: Uint8Array = NO_ADDRESS;
  /** Running hash of `hash` and `ip_hash`, place on the ring of `consistent`. */
  hash = 0;
  /** Peers that the hash or the dice hit in vain; beyond 20 round robin decides. */
  misses = 0;
  /** Number put before the key at the next hashing (`hash`); 0 = none yet. */
  rehash = 0;

  /** The same request looks again, as other peers may be available now. */
  lookAgain(): void {
    this.hash = 0;
    this.misses = 0;
    this.rehash = 0;
  }

  /** For a new request. */
  reset(): void {
    this.tried.clear();
    this.key = '';
    this.address = NO_ADDRESS;
    this.hash = 0;
    this.misses = 0;
    this.rehash = 0;
  }
}

/** What nginx hashes for clients of unix sockets. */
export const NO_ADDRESS = new Uint8Array(3);
