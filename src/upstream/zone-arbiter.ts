import { forgetFailures } from '../policy/health/peer-health.ts';
import { settle } from '../policy/passive-health.ts';
import { type PeerView, peerView } from '../policy/peer-view.ts';
import { SlotArbiter } from './slot-arbiter.ts';
import type {
  SlotOrder,
  ZoneCheck,
  ZoneEvent,
  ZonePanic,
  ZonePeerLimits,
  ZonePeerUpdate,
  ZoneUpdate,
  ZoneWorkerMessage,
} from './zone-message.ts';

/** How the primary knows a worker: its pid, say. */
export type ZoneWorkerId = number;

export interface ZoneArbiterInit {
  readonly send: (worker: ZoneWorkerId, message: ZoneUpdate) => void;
  /** Runs `flush` soon, once: what many workers reported in a turn of the event loop goes out as one message to each. */
  readonly schedule: (flush: () => void) => void;
  /** Runs `check` after that time. */
  readonly later: (check: () => void, ms: number) => void;
  /** The first worker has come into a panic (`panic_threshold`), or the last one out of it. */
  readonly onPanic?: (isOn: boolean, text: string) => void;
}

/**
 * The primary's half of the zones: one truth about each peer's failures, who may try a peer that was out, and how much all
 * workers have under way. It outlives workers; what a dead one had under way is dropped.
 */
export class ZoneArbiter {
  readonly #send: ZoneArbiterInit['send'];
  readonly #schedule: ZoneArbiterInit['schedule'];
  readonly #peers = new Map<string, SharedPeer>();
  /** Peers that each worker has open. */
  readonly #workers = new Map<ZoneWorkerId, Set<string>>();
  readonly #changed = new Set<SharedPeer>();
  readonly #slots: SlotArbiter;
  readonly #slotOrders = new Map<ZoneWorkerId, SlotOrder[]>();
  /** What active checks say of peers, opened or not. */
  readonly #checks = new Map<string, ZoneCheck>();
  readonly #panics = new Map<string, Set<ZoneWorkerId>>();
  readonly #onPanic: NonNullable<ZoneArbiterInit['onPanic']>;
  #isScheduled = false;

  constructor(init: ZoneArbiterInit) {
    this.#send = init.send;
    this.#onPanic = init.onPanic ?? (() => undefined);
    this.#schedule = init.schedule;
    this.#slots = new SlotArbiter({
      order: (worker, order) => {
        this.#slotOrders.set(worker, [...(this.#slotOrders.get(worker) ?? []), order]);
        this.#plan();
      },
      later: init.later,
    });
  }

  receive(worker: ZoneWorkerId, message: ZoneWorkerMessage): void {
    if (message.kind === 'zone-open') {
      this.#open(worker, message.peers);
      return;
    }
    if (message.kind === 'zone-panic') {
      this.#panic(worker, message);
      return;
    }
    for (const { id, active, picks } of message.counts) {
      const peer = this.#peers.get(id);
      if (peer === undefined) continue;
      peer.setActive(worker, active);
      peer.notePicks(worker, picks);
      this.#touch(peer);
    }
    for (const event of message.events) {
      const peer = this.#peers.get(event.id);
      if (peer === undefined) continue;
      peer.note(worker, event);
      this.#touch(peer);
    }
    for (const report of message.slots) this.#slots.receive(worker, report);
  }

  /** What active checks say of a peer from now on; null: it is no longer checked. A peer that comes back begins without failures. */
  check(id: string, check: ZoneCheck | null): void {
    const before = this.#checks.get(id);
    if (check === null) this.#checks.delete(id);
    else this.#checks.set(id, check);
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    peer.setCheck(check ?? { state: 'up', sinceMs: 0 }, before?.state === 'unhealthy');
    this.#touch(peer);
  }

  #panic(worker: ZoneWorkerId, { upstream, isOn, text }: ZonePanic): void {
    const workers = this.#panics.get(upstream) ?? new Set();
    const before = workers.size;
    if (isOn) workers.add(worker);
    else workers.delete(worker);
    if (workers.size === 0) this.#panics.delete(upstream);
    else this.#panics.set(upstream, workers);
    if ((before === 0) !== (workers.size === 0)) this.#onPanic(isOn, text);
  }

  /** A worker ended, whyever. */
  workerGone(worker: ZoneWorkerId): void {
    this.#workers.delete(worker);
    this.#slotOrders.delete(worker);
    this.#slots.workerGone(worker);
    for (const [upstream, workers] of this.#panics) {
      workers.delete(worker);
      if (workers.size === 0) this.#panics.delete(upstream);
    }
    for (const peer of this.#peers.values()) {
      if (peer.forget(worker)) this.#touch(peer);
    }
    this.#prune();
  }

  #open(worker: ZoneWorkerId, limits: readonly ZonePeerLimits[]): void {
    const before = this.#workers.get(worker);
    const ids = new Set(limits.map((one) => one.id));
    this.#workers.set(worker, ids);
    for (const one of limits) {
      const peer = this.#peers.get(one.id) ?? new SharedPeer(one, this.#checks.get(one.id) ?? null);
      this.#peers.set(one.id, peer);
      peer.limit(one);
      this.#slots.open(worker, one.id, one.maxConns);
      if (before?.has(one.id) !== true) peer.welcome(worker);
      this.#touch(peer);
    }
    for (const id of before ?? []) {
      if (!ids.has(id)) this.#slots.close(worker, id);
      const peer = ids.has(id) ? undefined : this.#peers.get(id);
      if (peer?.forget(worker) === true) this.#touch(peer);
    }
    this.#prune();
  }

  #prune(): void {
    // While no worker lives (all crashed at once) the state waits for the next one.
    if (this.#workers.size === 0) return;
    for (const id of this.#peers.keys()) {
      if (![...this.#workers.values()].some((ids) => ids.has(id))) this.#peers.delete(id);
    }
  }

  #touch(peer: SharedPeer): void {
    this.#changed.add(peer);
    this.#plan();
  }

  #plan(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    for (const [worker, ids] of this.#workers) {
      const peers: ZonePeerUpdate[] = [];
      const wanted: string[] = [];
      for (const peer of this.#changed) {
        if (!ids.has(peer.id)) continue;
        const update = peer.updateFor(worker);
        if (update !== null) peers.push(update);
        if (peer.wantsYieldOf(worker)) wanted.push(peer.id);
      }
      const slots = this.#slotOrders.get(worker) ?? [];
      if (peers.length > 0 || wanted.length > 0 || slots.length > 0) {
        this.#send(worker, { kind: 'zone-update', peers, yield: wanted, slots });
      }
    }
    this.#changed.clear();
    this.#slotOrders.clear();
  }
}

/** What a worker was told last, and what piled up for it since. */
class WorkerShare {
  active = 0;
  /** Other workers' picks and failures that it does not know of yet. */
  picks = 0;
  failures = 0;
  others = 0;
  /** Version of the health that it knows; 0 = none. */
  healthVersion = 0;
  /** What it knows of the checks; null = nothing. */
  check: ZoneCheck | null = null;
}

class SharedPeer {
  readonly id: string;
  readonly #view: PeerView;
  readonly #shares = new Map<ZoneWorkerId, WorkerShare>();
  #active = 0;
  #healthVersion = 1;
  /** Who may make the trial while the peer is out; null = nobody yet. */
  #trier: ZoneWorkerId | null = null;
  /** Who wants to, while the trier is asked to yield. */
  #asker: ZoneWorkerId | null = null;
  #isYieldAsked = false;
  #check: ZoneCheck | null;

  constructor(limits: ZonePeerLimits, check: ZoneCheck | null) {
    this.id = limits.id;
    this.#check = check;
    this.#view = peerView(limits.id, limits);
  }

  limit({ weight, maxFails, failTimeoutMs }: ZonePeerLimits): void {
    Object.assign(this.#view, { weight, maxFails, failTimeoutMs });
  }

  setCheck(check: ZoneCheck, wasUnhealthy: boolean): void {
    this.#check = check;
    if (check.state !== 'up' || !wasUnhealthy) return;
    forgetFailures(this.#view);
    this.#trier = null;
    this.#asker = null;
    this.#isYieldAsked = false;
    this.#healthVersion++;
  }

  welcome(worker: ZoneWorkerId): void {
    this.#shares.set(worker, new WorkerShare());
  }

  setActive(worker: ZoneWorkerId, active: number): void {
    const share = this.#shares.get(worker);
    if (share === undefined) return;
    this.#active += active - share.active;
    share.active = active;
  }

  notePicks(worker: ZoneWorkerId, picks: number): void {
    for (const [other, share] of this.#shares) if (other !== worker) share.picks += picks;
  }

  note(worker: ZoneWorkerId, { what, atMs }: ZoneEvent): void {
    const view = this.#view;
    switch (what) {
      case 'failed':
        settle(view, 'failed', atMs);
        for (const [other, share] of this.#shares) if (other !== worker) share.failures++;
        // Who met the failure has traffic for the peer: the likeliest to have some when its time is over.
        if (this.#isOut) this.#trier ??= worker;
        break;
      case 'ok':
        settle(view, 'ok', atMs);
        break;
      case 'trial':
        view.checkedAtMs = Math.max(view.checkedAtMs, atMs);
        this.#asker = null;
        this.#isYieldAsked = false;
        break;
      case 'ask':
        this.#ask(worker, atMs);
        break;
      case 'yielded':
        if (this.#trier !== worker) return;
        this.#trier = this.#asker;
        this.#asker = null;
        this.#isYieldAsked = false;
        break;
    }
    if (!this.#isOut) this.#trier = null;
    this.#healthVersion++;
  }

  #ask(worker: ZoneWorkerId, atMs: number): void {
    if (!this.#isOut || atMs - this.#view.checkedAtMs <= this.#view.failTimeoutMs) return;
    if (this.#trier === null || this.#trier === worker) this.#trier = worker;
    else this.#asker ??= worker;
  }

  get #isOut(): boolean {
    return this.#view.maxFails !== 0 && this.#view.fails >= this.#view.maxFails;
  }

  /** True when that changes anything for the others. */
  forget(worker: ZoneWorkerId): boolean {
    const share = this.#shares.get(worker);
    if (share === undefined) return false;
    this.#shares.delete(worker);
    this.#active -= share.active;
    if (this.#asker === worker) this.#asker = null;
    if (this.#trier === worker) {
      this.#trier = this.#asker;
      this.#asker = null;
      this.#isYieldAsked = false;
      this.#healthVersion++;
    }
    return true;
  }

  wantsYieldOf(worker: ZoneWorkerId): boolean {
    if (this.#asker === null || this.#trier !== worker || this.#isYieldAsked) return false;
    this.#isYieldAsked = true;
    return true;
  }

  /** What a worker does not know yet; null = nothing. */
  updateFor(worker: ZoneWorkerId): ZonePeerUpdate | null {
    const share = this.#shares.get(worker);
    if (share === undefined) return null;
    const others = this.#active - share.active;
    const knowsHealth = share.healthVersion === this.#healthVersion;
    const knowsCheck = share.check === this.#check;
    if (knowsHealth && knowsCheck && others === share.others && share.picks === 0) return null;
    const update: ZonePeerUpdate = {
      id: this.id,
      others,
      picks: share.picks,
      ...(knowsHealth ? {} : { health: this.#healthFor(worker, share) }),
      ...(knowsCheck || this.#check === null ? {} : { check: this.#check }),
    };
    share.check = this.#check;
    share.others = others;
    share.picks = 0;
    share.failures = 0;
    share.healthVersion = this.#healthVersion;
    return update;
  }

  #healthFor(worker: ZoneWorkerId, share: WorkerShare): NonNullable<ZonePeerUpdate['health']> {
    const { fails, accessedAtMs, checkedAtMs } = this.#view;
    return {
      fails,
      accessedAtMs: Number.isFinite(accessedAtMs) ? accessedAtMs : null,
      checkedAtMs: Number.isFinite(checkedAtMs) ? checkedAtMs : null,
      newFailures: share.failures,
      mayTry: !this.#isOut || this.#trier === worker,
    };
  }
}
