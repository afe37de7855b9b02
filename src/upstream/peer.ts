import type { CheckState } from '../policy/health/check-machine.ts';
import { isOut, isUnavail, type PeerHealth, type PeerState, peerState } from '../policy/health/peer-health.ts';
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
  /** Out, whatever its failures are: `down`, without an address, draining, or by its checks. */
  isDown: boolean;
  mayTry = true;
  lease: SlotLease | null = null;
  /** What its active checks say; 'up' without any. */
  #check: CheckState = 'up';
  #isDraining: boolean;
  /** Its group is in a panic (`panic_threshold`): failures and failed checks don't count. */
  #isPanic = false;
  /** Part of its weight that it has at present (`slow_start`); 1 = all of it. */
  #ramp = 1;
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
    this.#isDraining = conf.isDraining;
    this.isDown = isOut(this.#health, false);
  }

  /** What its active checks say; 'up' without any. */
  get check(): CheckState {
    return this.#check;
  }

  set check(state: CheckState) {
    this.#check = state;
    this.#settle();
  }

  /** No new requests; those under way go on. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  set isDraining(isDraining: boolean) {
    this.#isDraining = isDraining;
    this.#settle();
  }

  set isPanic(isPanic: boolean) {
    this.#isPanic = isPanic;
    this.#settle();
  }

  /** Weight of the moment, while it comes back slowly; the configured one at the end. */
  set rampedWeight(weight: number) {
    this.#ramp = weight / this.conf.weight;
    const lost = this.weight - this.effectiveWeight;
    this.weight = weight;
    this.effectiveWeight = Math.max(weight - lost, 0);
  }

  /** Its configuration and its name's addresses let it be up. */
  get canBeUp(): boolean {
    return this.address !== null && !this.conf.isDown && !this.#isDraining && this.#check !== 'checking';
  }

  isUp(nowMs: number): boolean {
    return this.canBeUp && this.#check === 'up' && !isUnavail(this, this.conf.maxFails, nowMs);
  }

  state(nowMs: number): PeerState {
    return peerState({ ...this.#health, isUnavail: isUnavail(this, this.conf.maxFails, nowMs) });
  }

  get #health(): Omit<PeerHealth, 'isUnavail'> {
    return {
      isUnresolved: this.address === null,
      isSaidDown: this.conf.isDown,
      isDraining: this.#isDraining,
      check: this.#check,
    };
  }

  #settle(): void {
    this.isDown = isOut(this.#health, this.#isPanic);
    this.maxFails = this.#isPanic ? 0 : this.conf.maxFails;
  }

  /** Takes over a new configuration's numbers; health and counters stay. */
  adopt(conf: PeerConf): void {
    this.conf = conf;
    const weight = conf.weight * this.#ramp;
    this.effectiveWeight = this.effectiveWeight === this.weight ? weight : Math.min(this.effectiveWeight, weight);
    this.weight = weight;
    this.currentWeight = 0;
    this.maxConns = conf.maxConns;
    this.failTimeoutMs = conf.failTimeoutMs;
    this.#isDraining = conf.isDraining;
    this.#settle();
  }
}
