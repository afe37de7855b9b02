import { roundRobin } from '../policy/balance/round-robin.ts';
import type { PeerOutcome } from '../policy/outcome.ts';
import type { Peer } from './peer.ts';
import { SlotPort } from './slot-port.ts';
import { startSlowly, stopSlowStart } from './slow-start.ts';
import type { GroupZone, UpstreamGroup, ZoneLink } from './upstream-group.ts';
import type {
  ZoneCheck,
  ZoneEvent,
  ZonePeerUpdate,
  ZoneReport,
  ZoneUpdate,
  ZoneWorkerMessage,
} from './zone-message.ts';
import { zonePeers } from './zone-peers.ts';

export interface ZonePortInit {
  readonly send: (message: ZoneWorkerMessage) => void;
  /** Runs `flush` soon, once: all that happens in a turn of the event loop goes out as one message. */
  readonly schedule: (flush: () => void) => void;
  /** Runs `check` after that time. */
  readonly later: (check: () => void, ms: number) => void;
}

/**
 * A worker's half of the zones. Decisions are made here, at once, from what this worker knows; what it does is reported in
 * batches, and the primary's answers correct the numbers that the policies read. So a peer's failures are exact when the answers
 * are in. `max_conns` is exact at any time: see SlotPort.
 */
export class ZonePort implements ZoneLink {
  readonly #send: ZonePortInit['send'];
  readonly #schedule: ZonePortInit['schedule'];
  #peers = new Map<string, ZonedPeer>();
  readonly #dirty = new Set<ZonedPeer>();
  #events: ZoneEvent[] = [];
  readonly #slots: SlotPort;
  /** Peers that are out and another worker's to try. */
  readonly #waiting = new Set<ZonedPeer>();
  #isScheduled = false;
  #isAlone = false;
  /** What the checks said when the configuration at hand was prepared; later news come as updates. */
  #checks: Readonly<Record<string, ZoneCheck>> = {};

  constructor(init: ZonePortInit) {
    this.#send = init.send;
    this.#schedule = init.schedule;
    this.#slots = new SlotPort({ plan: () => this.#plan(), later: init.later });
  }

  /** The only worker there is: counts need not be told; failures are, so that they outlive it. */
  setAlone(isAlone: boolean): void {
    this.#isAlone = isAlone;
    for (const zoned of this.#peers.values()) if (zoned.peer.localActive > 0) this.#touch(zoned);
  }

  /**
   * Before `open`: what active checks say of its peers, so that no request goes to one that is out. It was written down when the
   * configuration was prepared: what came since is newer.
   */
  expect(checks: Readonly<Record<string, ZoneCheck>>): void {
    const before = this.#checks;
    this.#checks = Object.fromEntries(
      Object.entries(checks).map(([id, check]) => {
        const known = before[id];
        return [id, known !== undefined && known.sinceMs > check.sinceMs ? known : check];
      }),
    );
  }

  zoneFor(): GroupZone {
    return this.#zone;
  }

  /** The zoned groups that are in force from now on; again when a group's peers changed. */
  open(groups: readonly UpstreamGroup[]): void {
    const before = this.#peers;
    this.#peers = new Map();
    for (const group of groups) {
      for (const { id, peer } of zonePeers(group)) {
        const known = before.get(id);
        const zoned = known?.peer === peer ? known : new ZonedPeer(id, peer, group);
        zoned.group = group;
        this.#peers.set(id, zoned);
        peer.zoned = zoned;
        const check = this.#checks[id];
        if (check !== undefined) applyCheck(peer, check);
      }
    }
    for (const [id, zoned] of before) if (this.#peers.get(id) !== zoned) this.#close(zoned);
    this.#send({
      kind: 'zone-open',
      peers: [...this.#peers.values()].map(({ id, peer }) => ({
        id,
        weight: peer.weight,
        maxFails: peer.conf.maxFails,
        failTimeoutMs: peer.failTimeoutMs,
        maxConns: peer.maxConns,
      })),
    });
    this.#slots.open(new Map([...this.#peers.values()].map(({ id, peer }) => [id, peer])));
    // A new list forgets nobody's count: what is under way is told anew.
    for (const zoned of this.#peers.values()) if (zoned.peer.localActive > 0) this.#touch(zoned);
  }

  receive(message: ZoneUpdate): void {
    const moved = new Set<UpstreamGroup>();
    for (const update of message.peers) {
      const zoned = this.#peers.get(update.id);
      if (zoned === undefined) continue;
      this.#apply(zoned, update);
      if (update.picks > 0) moved.add(zoned.group);
    }
    for (const group of moved) this.#applyPicks(group);
    for (const order of message.slots) this.#slots.receive(order);
    for (const id of message.yield) {
      const zoned = this.#peers.get(id);
      if (zoned === undefined || !zoned.peer.mayTry) continue;
      zoned.peer.mayTry = false;
      if (!takesPart(zoned.peer)) this.#wait(zoned);
      this.#tell(zoned, 'yielded', zoned.lastEventAtMs);
    }
  }

  readonly #zone: GroupZone = {
    beforePick: (nowMs) => {
      if (this.#waiting.size > 0) this.#askForTrials(nowMs);
    },
    picked: (peer, nowMs) => {
      const { zoned, lease } = peer;
      if (lease !== null) this.#slots.taken(lease);
      if (zoned === null) return;
      zoned.picks++;
      if (peer.fails > 0 && peer.checkedAtMs === nowMs) this.#tell(zoned, 'trial', nowMs);
      this.#touch(zoned);
    },
    released: (peer, outcome, nowMs) => {
      const { zoned, lease } = peer;
      if (lease !== null) this.#slots.released(lease);
      if (zoned === null) return;
      this.#noteOutcome(zoned, outcome, nowMs);
      this.#touch(zoned);
    },
    awaitSlot: (peers, done) =>
      this.#slots.await(
        peers.flatMap(({ lease }) => (lease === null ? [] : [lease])),
        done,
      ),
    panicked: (upstream, isOn, text) => this.#send({ kind: 'zone-panic', upstream, isOn, text }),
  };

  #noteOutcome(zoned: ZonedPeer, outcome: PeerOutcome, nowMs: number): void {
    if (outcome === 'failed') {
      zoned.mayHaveFails = true;
      this.#tell(zoned, 'failed', nowMs);
    } else if (outcome === 'ok' && zoned.mayHaveFails && zoned.peer.accessedAtMs < zoned.peer.checkedAtMs) {
      this.#tell(zoned, 'ok', nowMs);
    }
  }

  #askForTrials(nowMs: number): void {
    for (const zoned of this.#waiting) {
      const { peer } = zoned;
      if (zoned.hasAsked || nowMs - peer.checkedAtMs <= peer.failTimeoutMs) continue;
      zoned.hasAsked = true;
      this.#tell(zoned, 'ask', nowMs);
    }
  }

  #apply(zoned: ZonedPeer, { others, picks, health, check }: ZonePeerUpdate): void {
    const { peer } = zoned;
    peer.active = peer.localActive + others;
    zoned.foreignPicks += picks;
    if (check !== undefined) {
      this.#checks = { ...this.#checks, [zoned.id]: check };
      applyCheck(peer, check);
    }
    if (health === undefined) return;
    const isBack = peer.maxFails !== 0 && peer.fails >= peer.maxFails && health.fails < peer.maxFails;
    if (isBack && health.checkedAtMs !== null && peer.conf.slowStartMs > 0) startSlowly(peer, health.checkedAtMs);
    peer.fails = health.fails;
    peer.accessedAtMs = health.accessedAtMs ?? Number.NEGATIVE_INFINITY;
    peer.checkedAtMs = health.checkedAtMs ?? Number.NEGATIVE_INFINITY;
    peer.mayTry = health.mayTry;
    zoned.mayHaveFails = health.fails > 0;
    if (peer.maxFails !== 0 && health.newFailures > 0) {
      const loss = Math.floor(peer.weight / peer.maxFails) * health.newFailures;
      peer.effectiveWeight = Math.max(peer.effectiveWeight - loss, 0);
    }
    if (health.mayTry) this.#waiting.delete(zoned);
    else this.#wait(zoned);
  }

  #wait(zoned: ZonedPeer): void {
    zoned.hasAsked = false;
    this.#waiting.add(zoned);
  }

  /** Round robin goes on from where the others are: as if this worker had made their picks, all at once. */
  #applyPicks(group: UpstreamGroup): void {
    const takesTurns = group.method.def === roundRobin;
    for (const side of [group.peers, group.backups]) {
      const sharers = side.filter((peer) => peer.zoned !== null && takesPart(peer));
      const picks = sharers.reduce((sum, peer) => sum + (peer.zoned?.foreignPicks ?? 0), 0);
      const total = sharers.reduce((sum, peer) => sum + peer.effectiveWeight, 0);
      if (takesTurns && picks > 0) {
        for (const peer of sharers) {
          peer.currentWeight += picks * peer.effectiveWeight - (peer.zoned?.foreignPicks ?? 0) * total;
        }
      }
      for (const peer of side) if (peer.zoned !== null) peer.zoned.foreignPicks = 0;
    }
  }

  #tell(zoned: ZonedPeer, what: ZoneEvent['what'], atMs: number): void {
    zoned.lastEventAtMs = atMs;
    this.#events.push({ id: zoned.id, what, atMs });
    this.#plan();
  }

  #touch(zoned: ZonedPeer): void {
    if (this.#isAlone) {
      zoned.picks = 0;
      return;
    }
    this.#dirty.add(zoned);
    this.#plan();
  }

  #plan(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    const counts: ZoneReport['counts'][number][] = [];
    for (const zoned of this.#dirty) {
      if (this.#peers.get(zoned.id) === zoned) {
        counts.push({ id: zoned.id, active: zoned.peer.localActive, picks: zoned.picks });
      }
      zoned.picks = 0;
    }
    this.#dirty.clear();
    const events = this.#events;
    this.#events = [];
    const slots = this.#slots.takeReports();
    if (counts.length > 0 || events.length > 0 || slots.length > 0) {
      this.#send({ kind: 'zone-report', counts, events, slots });
    }
  }

  /** The peer is no longer shared: only what this worker does counts. */
  #close(zoned: ZonedPeer): void {
    this.#waiting.delete(zoned);
    this.#dirty.delete(zoned);
    if (zoned.peer.zoned !== zoned) return;
    zoned.peer.zoned = null;
    zoned.peer.active = zoned.peer.localActive;
    zoned.peer.mayTry = true;
    zoned.peer.check = 'up';
    stopSlowStart(zoned.peer);
  }
}

/** One that comes back begins slowly, where that is wanted; the same in every worker, and in one that starts meanwhile. */
function applyCheck(peer: Peer, { state, sinceMs }: ZoneCheck): void {
  if (peer.check === state) return;
  peer.check = state;
  if (state !== 'up') return stopSlowStart(peer);
  peer.effectiveWeight = peer.weight;
  peer.currentWeight = 0;
  if (peer.conf.slowStartMs > 0) startSlowly(peer, sinceMs);
}

/** In the turns of round robin at present. */
function takesPart(peer: Peer): boolean {
  return !peer.isDown && (peer.maxFails === 0 || peer.fails < peer.maxFails);
}

/** A peer as the zone knows it. */
export class ZonedPeer {
  readonly id: string;
  readonly peer: Peer;
  /** The group of the configuration in force. */
  group: UpstreamGroup;
  /** Own picks not yet reported; others' picks not yet applied. */
  picks = 0;
  foreignPicks = 0;
  /** Some worker has counted failures: a success is worth telling. */
  mayHaveFails = false;
  /** The right to try was asked for since the last answer. */
  hasAsked = false;
  lastEventAtMs = 0;

  constructor(id: string, peer: Peer, group: UpstreamGroup) {
    this.id = id;
    this.peer = peer;
    this.group = group;
  }
}
