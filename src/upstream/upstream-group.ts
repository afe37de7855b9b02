import { nowMs as clockMs } from '../core/clock.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Template } from '../http/variable.ts';
import { isFull, isHealthy } from '../policy/availability.ts';
import type { Balancer, BalancerDef, RandomSource } from '../policy/balancer.ts';
import type { PeerOutcome } from '../policy/outcome.ts';
import { type HealthChange, settle } from '../policy/passive-health.ts';
import { PeerSet } from '../policy/peer-set.ts';
import { RetryBudget } from '../policy/retry-budget.ts';
import { clientAddressBytes } from './client-address.ts';
import { PanicWatch } from './panic-watch.ts';
import type { Peer } from './peer.ts';
import type { KeepaliveConf } from './peer-conf.ts';
import { PickQueue } from './pick-queue.ts';
import { PickSession } from './pick-session.ts';
import { startSlowly } from './slow-start.ts';
import type { QueueConf } from './upstream-conf.ts';

/** Primaries or backups: the peers, and the balancer that chooses among them by the same index. */
export interface GroupSide {
  readonly peers: readonly Peer[];
  readonly set: PeerSet;
  readonly balancer: Balancer;
}

/** Primaries and backups of one moment; replaced as a whole when peers come or go, so that a request under way keeps its own. */
export interface GroupSides {
  readonly primaries: GroupSide;
  /** Null: the group has none. */
  readonly backups: GroupSide | null;
}

export interface UpstreamMethod {
  readonly def: BalancerDef;
  readonly args: readonly string[];
  /** Gives the key of `hash`; null for the others. */
  readonly compileKey: (() => Template) | null;
}

export interface UpstreamGroupInit {
  readonly name: string;
  readonly isImplicit: boolean;
  readonly method: UpstreamMethod;
  /** Null: `keepalive 0`. */
  readonly keepalive: KeepaliveConf | null;
  readonly primaries: readonly Peer[];
  readonly backups: readonly Peer[];
  readonly random: RandomSource;
  /** What outlives a reload of a group of this name. */
  readonly carried: CarriedGroup;
  readonly zone: GroupZone | null;
  /** It has a `zone`, whether there are other workers or not. */
  readonly isZoned: boolean;
  /** `queue`; null: none. */
  readonly queue: QueueConf | null;
  /** `panic_threshold`; null: off. */
  readonly panicPercent: number | null;
  /** `retry_budget`; null: off. */
  readonly retryPercent: number | null;
  /** A panic begins or is over. */
  readonly onPanic: (isOn: boolean, text: string) => void;
}

/** Same object for every generation of a group: slots for what belongs to the name, not to the configuration. */
export interface CarriedGroup {
  /** The keepalive pool's own (`keepalive N` bounds a whole group). */
  pool: unknown;
}

/** What a group with a `zone` tells the other workers. */
export interface GroupZone {
  /** A request comes: peers that were out long enough may need asking for. */
  beforePick(nowMs: number): void;
  picked(peer: Peer, nowMs: number): void;
  /** `outcome` is 'neutral' where failures don't count. */
  released(peer: Peer, outcome: PeerOutcome, nowMs: number): void;
  /** `done`, later, when one of these peers may have a slot of `max_conns` for this worker, or none has. */
  awaitSlot(peers: readonly Peer[], done: () => void): Awaited;
  /** A panic of the group of this name begins or is over in this worker. */
  panicked(upstream: string, isOn: boolean, text: string): void;
}

/** Something that is waited for. */
export interface Awaited {
  cancel(): void;
}

/** Where zoned groups find the other workers; see ZonePort. */
export interface ZoneLink {
  zoneFor(): GroupZone;
  /** All zoned groups of the configuration in force; called anew when their peers changed. */
  open(groups: readonly UpstreamGroup[]): void;
}

/** As long as requests wait in the queue for slots that other workers hold. */
const ASK_EVERY_MS = 50;

/** One upstream: `upstream name {}`, or the addresses of a `proxy_pass http://host:port`. */
export class UpstreamGroup {
  readonly name: string;
  /** Made by a `proxy_pass` with an address. */
  readonly isImplicit: boolean;
  readonly method: UpstreamMethod;
  readonly keepalive: KeepaliveConf | null;
  readonly carried: CarriedGroup;
  readonly zone: GroupZone | null;
  /** It has a `zone`, whether there are other workers or not. */
  readonly isZoned: boolean;
  /** Requests that wait for a peer; null: they don't. */
  readonly queue: PickQueue | null;
  /** `panic_threshold`; null: off. */
  readonly panic: PanicWatch | null;
  /** `retry_budget`; null: off. This worker's own. */
  readonly retryBudget: RetryBudget | null;
  readonly #random: RandomSource;
  #asksAgainAtMs = Number.NEGATIVE_INFINITY;
  #sides: GroupSides;
  #key: Template | null = null;

  constructor(init: UpstreamGroupInit) {
    this.name = init.name;
    this.isImplicit = init.isImplicit;
    this.method = init.method;
    this.keepalive = init.keepalive;
    this.carried = init.carried;
    this.zone = init.zone;
    this.isZoned = init.isZoned;
    this.queue = init.queue === null ? null : new PickQueue(init.queue.max, init.queue.timeoutMs, clockMs);
    this.panic = init.panicPercent === null ? null : new PanicWatch(init.panicPercent, init.onPanic);
    this.retryBudget = init.retryPercent === null ? null : new RetryBudget(init.retryPercent);
    this.#random = init.random;
    this.#sides = this.#makeSides(init.primaries, init.backups);
  }

  get peers(): readonly Peer[] {
    return this.#sides.primaries.peers;
  }

  get backups(): readonly Peer[] {
    return this.#sides.backups === null ? [] : this.#sides.backups.peers;
  }

  /** Other peers from now on (a name resolved, the API added one). Requests under way go on with the old ones. */
  replacePeers(primaries: readonly Peer[], backups: readonly Peer[]): void {
    this.#sides = this.#makeSides(primaries, backups);
  }

  /** When all variables of the configuration are known; see UpstreamRegistry.compileKeys. */
  compileKey(): void {
    if (this.method.compileKey !== null) this.#key = this.method.compileKey();
  }

  /** Begins a request's picks; `recycled` is a session whose request is over. Evaluates the hash key. */
  newSession(ex: Exchange, recycled?: PickSession): PickSession {
    const session = recycled ?? new PickSession();
    session.begin(this.#sides);
    const needs = this.method.def.needs;
    if (needs === 'key') {
      if (this.#key !== null) session.state.key = this.#key.evaluate(ex);
    } else if (needs === 'address') {
      session.state.address = clientAddressBytes(ex.connection.remoteAddress, session);
    }
    return session;
  }

  /**
   * The peer for the next attempt; null = `no live upstreams`, unless `session.isShort` says that `awaitSlot` may find one. Pair it with
   * exactly one `release`.
   */
  pick(session: PickSession, nowMs: number): Peer | null {
    if (this.zone !== null) this.zone.beforePick(nowMs);
    if (this.panic !== null) this.panic.look(this.name, session.sides, nowMs);
    let side = session.side;
    let index = side.balancer.pick(session.state, nowMs);
    if (index < 0 && this.#isShort(session, nowMs)) return null;
    const backups = session.sides.backups;
    if (index < 0 && backups !== null && side !== backups) {
      session.side = side = backups;
      session.state.tried.clear();
      session.hasAsked = false;
      index = side.balancer.pick(session.state, nowMs);
      if (index < 0 && this.#isShort(session, nowMs)) return null;
    }
    const peer = side.peers[index];
    if (peer === undefined) return null;
    session.index = index;
    session.hasAsked = false;
    peer.localActive++;
    peer.stats.requests++;
    if (this.zone !== null) this.zone.picked(peer, nowMs);
    return peer;
  }

  /** After a pick that fell short: `done` when another pick is worth trying, once. */
  awaitSlot(session: PickSession, nowMs: number, done: () => void): Awaited {
    const peers = session.side.peers.filter((_peer, index) => isOutOfSlots(session, index, nowMs));
    return (this.zone as GroupZone).awaitSlot(peers, () => {
      session.isShort = false;
      session.hasAsked = true;
      session.state.lookAgain();
      done();
    });
  }

  /** For the queue, which picks anew: it is woken when one of these peers may have a slot. Asks now and then only: others may hold them for long. */
  wakeForSlot(session: PickSession, nowMs: number): void {
    const { queue, zone } = this;
    if (queue === null || zone === null || nowMs < this.#asksAgainAtMs) return;
    this.#asksAgainAtMs = nowMs + ASK_EVERY_MS;
    const peers = session.side.peers.filter((_peer, index) => isOutOfSlots(session, index, nowMs));
    zone.awaitSlot(peers, () => queue.wake());
  }

  #isShort(session: PickSession, nowMs: number): boolean {
    if (this.zone === null || session.hasAsked) return false;
    session.isShort = session.side.peers.some((_peer, index) => isOutOfSlots(session, index, nowMs));
    return session.isShort;
  }

  /** Ends the attempt that `pick` began. Says when this put the peer out or brought it back, for the log. */
  release(session: PickSession, peer: Peer, outcome: PeerOutcome, nowMs: number): HealthChange {
    const side = session.side;
    if (session.index < 0 || side.peers[session.index] !== peer) {
      throw new Error(`peer ${peer.addressText} of upstream ${this.name} is released without a pick`);
    }
    peer.active--;
    peer.localActive--;
    if (outcome === 'failed') peer.stats.fails++;
    let change: HealthChange = 'none';
    if (side.set.isSingle) {
      session.tries = 0;
    } else {
      change = settle(peer, outcome, nowMs);
      if (session.tries > 0) session.tries--;
    }
    if (change === 'ejected') peer.stats.unavailable++;
    if (change === 'recovered' && peer.conf.slowStartMs > 0) startSlowly(peer, nowMs);
    side.balancer.release?.(session.index);
    session.index = -1;
    if (this.queue !== null) this.queue.wake();
    if (this.zone !== null) this.zone.released(peer, side.set.isSingle ? 'neutral' : outcome, nowMs);
    return change;
  }

  #makeSides(primaries: readonly Peer[], backups: readonly Peer[]): GroupSides {
    const isSingle = primaries.length === 1 && backups.length === 0;
    return {
      primaries: this.#makeSide(primaries, isSingle),
      backups: backups.length === 0 ? null : this.#makeSide(backups, false),
    };
  }

  #makeSide(peers: readonly Peer[], isSingle: boolean): GroupSide {
    const tries = peers.filter((peer) => peer.address !== null && !peer.conf.isDown).length;
    const set = new PeerSet(peers, isSingle, tries);
    const balancer = this.method.def.create({ set, args: this.method.args, random: this.#random });
    return { peers, set, balancer };
  }
}

/** Nothing but its `max_conns` speaks against this peer, and another worker may hold what is left of that. */
function isOutOfSlots({ side, state }: PickSession, index: number, nowMs: number): boolean {
  const peer = side.peers[index] as Peer;
  if (peer.lease === null || peer.isDown || !isFull(peer)) return false;
  return side.set.isSingle || (isHealthy(peer, nowMs) && !state.tried.has(index));
}
