import type { PeerView } from './peer-view.ts';
import type { PickState } from './pick-state.ts';

/** The primaries or the backups of a group: what one balancer chooses from. The list never changes; a changed group makes a new set. */
export class PeerSet {
  readonly peers: readonly PeerView[];
  readonly totalWeight: number;
  /** nginx's `single`: the only peer of a group without backups. Never put out, fails are not counted. */
  readonly isSingle: boolean;
  /** nginx's `tries`: peers that are not down by configuration, whatever their checks say at present. */
  readonly tries: number;

  /** `tries` defaults to the peers that are not down. */
  constructor(peers: readonly PeerView[], isSingle: boolean, tries?: number) {
    this.peers = peers;
    this.totalWeight = peers.reduce((sum, peer) => sum + peer.weight, 0);
    this.isSingle = isSingle;
    this.tries = tries ?? peers.reduce((sum, peer) => sum + (peer.isDown ? 0 : 1), 0);
  }

  /** The end of every pick: the peer is taken. A window that is over begins anew, so that one trial goes through and no more. */
  take(index: number, state: PickState, nowMs: number): number {
    const peer = this.peers[index] as PeerView;
    peer.active++;
    state.tried.add(index);
    if (nowMs - peer.checkedAtMs > peer.failTimeoutMs) peer.checkedAtMs = nowMs;
    return index;
  }
}
