import type { PeerView } from '../policy/peer-view.ts';
import { addressText, type PeerAddress } from './peer-address.ts';
import type { PeerConf } from './peer-conf.ts';
import { emptyPeerStats, type PeerStats } from './peer-stats.ts';
import type { SlotLease } from './slot-lease.ts';
import type { ZonedPeer } from './zone-port.ts';

/** One live server of a group. Outlives a reload when name and address stay the same; its conf then changes. */
export class Peer implements PeerView {
  /** As configured: `backend:8080`. */
  readonly name: string;
  /** Null: the name does not resolve (yet); such a peer is down. */
  readonly address: PeerAddress | null;
  /** `$upstream_addr` element; the configured name while there is no address. */
  readonly addressText: string;
  conf: PeerConf;
  // PeerView: the policies' numbers
  weight: number;
  effectiveWeight: number;
  currentWeight = 0;
  active = 0;
  maxConns: number;
  fails = 0;
  maxFails: number;
  failTimeoutMs: number;
  accessedAtMs = Number.NEGATIVE_INFINITY;
  checkedAtMs = Number.NEGATIVE_INFINITY;
  isDown: boolean;
  mayTry = true;
  lease: SlotLease | null = null;
  /** Requests under way in this worker; `active` adds those of the others when there is a zone. */
  localActive = 0;
  readonly stats: PeerStats = emptyPeerStats();
  /** Its share in the zone of its group; null without a zone. */
  zoned: ZonedPeer | null = null;
  /** The keepalive pool's own: what upstream/acquire keeps of this peer. */
  idle: unknown = null;

  constructor(conf: PeerConf, address: PeerAddress | null) {
    this.name = conf.name;
    this.address = address;
    this.addressText = address === null ? conf.name : addressText(address);
    this.conf = conf;
    this.weight = conf.weight;
    this.effectiveWeight = conf.weight;
    this.maxConns = conf.maxConns;
    this.maxFails = conf.maxFails;
    this.failTimeoutMs = conf.failTimeoutMs;
    this.isDown = conf.isDown || address === null;
  }

  /** Takes over a new configuration's numbers; health and counters stay. */
  adopt(conf: PeerConf): void {
    this.conf = conf;
    this.effectiveWeight =
      this.effectiveWeight === this.weight ? conf.weight : Math.min(this.effectiveWeight, conf.weight);
    this.weight = conf.weight;
    this.currentWeight = 0;
    this.maxConns = conf.maxConns;
    this.maxFails = conf.maxFails;
    this.failTimeoutMs = conf.failTimeoutMs;
    this.isDown = conf.isDown || this.address === null;
  }
}
