import { PeerSet } from '../policy/peer-set.ts';
import { PickState } from '../policy/pick-state.ts';
import type { GroupSide, GroupSides } from './upstream-group.ts';

const NO_SIDES: GroupSides = {
  primaries: { peers: [], set: new PeerSet([], false), balancer: { pick: () => -1 } },
  backups: null,
};

/** One request's way through a group's peers. Reused: `group.newSession(ex, session)` begins it anew. */
export class PickSession {
  readonly state = new PickState();
  /** Room for the client's address (`ip_hash`). */
  readonly ipv4Bytes = new Uint8Array(3);
  readonly ipv6Bytes = new Uint8Array(16);
  sides: GroupSides = NO_SIDES;
  /** Where picks are made at present: primaries first, then backups for good. */
  side: GroupSide = NO_SIDES.primaries;
  /** Index of the peer picked and not yet released; -1 = none. */
  index = -1;
  /** nginx's `pc->tries`: attempts left, the present one included. The caller cuts it to `proxy_next_upstream_tries` after `newSession`. */
  tries = 0;
  /** The pick failed, and another worker may have a slot of `max_conns` left: see `UpstreamGroup.awaitSlot`. */
  isShort = false;
  /** That was asked, in vain or not, for the pick at hand. */
  hasAsked = false;

  begin(sides: GroupSides): void {
    this.state.reset();
    this.sides = sides;
    this.side = sides.primaries;
    this.index = -1;
    this.isShort = false;
    this.hasAsked = false;
    this.tries = sides.primaries.set.tries + (sides.backups === null ? 0 : sides.backups.set.tries);
  }

  /** `proxy_next_upstream_tries`: at most `maxTries` peers; 0 = no limit. */
  limitTries(maxTries: number): void {
    if (maxTries > 0 && this.tries > maxTries) this.tries = maxTries;
  }
}
