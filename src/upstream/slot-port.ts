import type { Peer } from './peer.ts';
import { SlotLease, SlotWaiter } from './slot-lease.ts';
import type { SlotOrder, SlotReport } from './zone-message.ts';

export interface SlotPortInit {
  /** There is something to report: `takeReports` is called soon. */
  readonly plan: () => void;
  readonly later: (check: () => void, ms: number) => void;
}

/** Without an answer for so long there is no slot: the primary has gone. */
const PATIENCE_MS = 5000;

/**
 * A worker's half of `max_conns` in groups with a `zone`. The primary lends out each peer's slots; all together no more than `max_conns`.
 * A request takes one that this worker holds, and only when it holds none left does it wait for the primary's answer.
 *
 * ```
 * worker   --wants 2-->            primary                     other worker
 *                                    |  none free: --recall 2-->  |
 *                                    |  <--returned 1----------   |  what it has and does not use
 *          <--granted 1, answer--    |
 * ```
 */
export class SlotPort {
  readonly #init: SlotPortInit;
  #leases = new Map<string, SlotLease>();
  #peers: ReadonlyMap<string, Peer> = new Map();
  #reports: SlotReport[] = [];
  /** Whose question goes out with the next report. */
  readonly #toAsk = new Set<SlotLease>();

  constructor(init: SlotPortInit) {
    this.#init = init;
  }

  /** The peers of all zoned groups from now on, by id. */
  open(peers: ReadonlyMap<string, Peer>): void {
    const before = this.#leases;
    const peersBefore = this.#peers;
    this.#leases = new Map();
    this.#peers = peers;
    for (const [id, peer] of peers) {
      peer.lease = peer.maxConns === 0 ? null : this.#leaseOf(id, peer, before.get(id));
      if (peer.lease !== null) this.#leases.set(id, peer.lease);
    }
    // Where another peer has taken the place of one, the requests of both share the slots.
    for (const [id, peer] of peersBefore) if (!this.#leases.has(id)) peer.lease = null;
    for (const [id, lease] of before) if (!this.#leases.has(id)) this.#answered(lease, 0);
  }

  #leaseOf(id: string, { maxConns, localActive }: Peer, known: SlotLease | undefined): SlotLease {
    if (known === undefined) return new SlotLease(id, maxConns, localActive);
    if (maxConns < known.mostConns) {
      known.isShrinking = true;
      this.#return(known);
    }
    known.mostConns = maxConns;
    return known;
  }

  taken(lease: SlotLease): void {
    lease.left--;
  }

  released(lease: SlotLease): void {
    lease.left++;
    if (lease.isShrinking) this.#return(lease);
    else if (lease.asked.length > 0 || lease.pending.length > 0) queueMicrotask(() => this.#serve(lease));
  }

  /** `done` when one of these has a slot, or all have none. Not before this returned. */
  await(leases: readonly SlotLease[], done: () => void): SlotWaiter {
    const waiter = new SlotWaiter(leases.length, done);
    for (const lease of leases) {
      lease.pending.push(waiter);
      if (!lease.isAsking) this.#planQuestion(lease);
    }
    return waiter;
  }

  receive({ id, granted, isAnswer, recall }: SlotOrder): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) return;
    if (recall > 0) this.#report({ id, wants: 0, returned: lease.giveUp(recall), isAnswer: true });
    if (!isAnswer) return;
    // What is lent is within the new limit.
    if (granted > 0) lease.isShrinking = false;
    this.#answered(lease, granted);
    if (lease.pending.length > 0) this.#planQuestion(lease);
  }

  /** All that is to be said now, once. */
  takeReports(): readonly SlotReport[] {
    for (const lease of this.#toAsk) this.#ask(lease);
    this.#toAsk.clear();
    const reports = this.#reports;
    this.#reports = [];
    return reports;
  }

  #planQuestion(lease: SlotLease): void {
    this.#toAsk.add(lease);
    this.#init.plan();
  }

  #ask(lease: SlotLease): void {
    const { id } = lease;
    lease.pending = lease.pending.filter((waiter) => !waiter.isOver);
    if (lease.pending.length === 0 || this.#leases.get(id) !== lease) return;
    lease.asked = lease.pending;
    lease.pending = [];
    lease.isAsking = true;
    const question = ++lease.question;
    this.#reports.push({ id, wants: lease.asked.length + Math.max(-lease.left, 0), returned: 0, isAnswer: false });
    this.#init.later(() => {
      if (lease.isAsking && lease.question === question) this.#answered(lease, 0);
    }, PATIENCE_MS);
  }

  #answered(lease: SlotLease, granted: number): void {
    const { asked } = lease;
    lease.left += granted;
    lease.asked = [];
    lease.isAsking = false;
    for (const waiter of asked) {
      if (lease.left > 0 || --waiter.awaited === 0) waiter.finish();
    }
    this.#serve(lease);
  }

  /** Slots that came free here, in the meantime. */
  #serve(lease: SlotLease): void {
    while (lease.left > 0) {
      const waiter = lease.asked.shift() ?? lease.pending.shift();
      if (waiter === undefined) return;
      waiter.finish();
    }
  }

  #return(lease: SlotLease): void {
    const returned = lease.giveUp(Number.POSITIVE_INFINITY);
    if (returned > 0) this.#report({ id: lease.id, wants: 0, returned, isAnswer: false });
  }

  #report(report: SlotReport): void {
    this.#reports.push(report);
    this.#init.plan();
  }
}
