import type { SlotOrder, SlotReport } from './zone-message.ts';

type WorkerId = number;

export interface SlotArbiterInit {
  /** Goes out with the next update of that worker. */
  readonly order: (worker: WorkerId, order: SlotOrder) => void;
  readonly later: (check: () => void, ms: number) => void;
}

/** A worker that does not answer in this time has nothing to return; it is not waited for again until it says something. */
const PATIENCE_MS = 100;

/** The primary's half of `max_conns` in groups with a `zone`: lends the slots of every peer to the workers, and calls unused ones back. */
export class SlotArbiter {
  readonly #init: SlotArbiterInit;
  readonly #peers = new Map<string, PeerSlots>();
  readonly #silent = new Set<WorkerId>();

  constructor(init: SlotArbiterInit) {
    this.#init = init;
  }

  /** A worker has this peer from now on. `mostConns` 0: there is no limit. */
  open(worker: WorkerId, id: string, mostConns: number): void {
    if (mostConns === 0) {
      this.close(worker, id);
      return;
    }
    let slots = this.#peers.get(id);
    if (slots === undefined) {
      slots = new PeerSlots(id, this.#init, this.#silent);
      this.#peers.set(id, slots);
    }
    slots.open(worker, mostConns);
  }

  /** A worker has this peer no more. */
  close(worker: WorkerId, id: string): void {
    const slots = this.#peers.get(id);
    slots?.forget(worker);
    if (slots?.isUnused === true) this.#peers.delete(id);
  }

  workerGone(worker: WorkerId): void {
    this.#silent.delete(worker);
    for (const id of [...this.#peers.keys()]) this.close(worker, id);
  }

  receive(worker: WorkerId, report: SlotReport): void {
    this.#silent.delete(worker);
    this.#peers.get(report.id)?.receive(worker, report);
  }
}

interface SlotAsk {
  readonly worker: WorkerId;
  readonly wants: number;
}

/** The slots of one peer. Invariant: what is lent, in all, is no more than `max_conns`, unless that has just become smaller. */
class PeerSlots {
  readonly #id: string;
  readonly #init: SlotArbiterInit;
  readonly #silent: Set<WorkerId>;
  readonly #lent = new Map<WorkerId, number>();
  #mostConns = 0;
  /** Not lent; below 0 after the limit became smaller. */
  #free = 0;
  /** One after the other. */
  #asks: SlotAsk[] = [];
  /** Who has not answered the recall that is made for the first of them; null: there is none. */
  #recalled: Set<WorkerId> | null = null;

  constructor(id: string, init: SlotArbiterInit, silent: Set<WorkerId>) {
    this.#id = id;
    this.#init = init;
    this.#silent = silent;
  }

  get isUnused(): boolean {
    return this.#lent.size === 0;
  }

  open(worker: WorkerId, mostConns: number): void {
    this.#free += mostConns - this.#mostConns;
    this.#mostConns = mostConns;
    if (!this.#lent.has(worker)) this.#lent.set(worker, 0);
    this.#settle();
  }

  forget(worker: WorkerId): void {
    this.#free += this.#lent.get(worker) ?? 0;
    this.#lent.delete(worker);
    const [first] = this.#asks;
    this.#asks = this.#asks.filter((ask) => ask.worker !== worker);
    if (first?.worker === worker) this.#recalled = null;
    this.#noteAnswer(worker);
    this.#settle();
  }

  receive(worker: WorkerId, { wants, returned, isAnswer }: SlotReport): void {
    const lent = this.#lent.get(worker);
    if (lent === undefined) return;
    const back = Math.max(Math.min(returned, lent), 0);
    this.#lent.set(worker, lent - back);
    this.#free += back;
    if (wants > 0) this.#asks.push({ worker, wants });
    if (isAnswer) this.#noteAnswer(worker);
    this.#settle();
  }

  /** Answers as many questions as can be answered now. */
  #settle(): void {
    while (this.#recalled === null) {
      const [ask] = this.#asks;
      if (ask === undefined) return;
      if (this.#free < ask.wants && this.#recall(ask)) return;
      this.#asks.shift();
      this.#lend(ask);
    }
  }

  /** Asks the others for what they don't use; false: they have nothing. */
  #recall({ worker, wants }: SlotAsk): boolean {
    const holders = [...this.#lent].filter(([other, lent]) => other !== worker && lent > 0 && !this.#silent.has(other));
    if (holders.length === 0) return false;
    const recalled = new Set(holders.map(([other]) => other));
    this.#recalled = recalled;
    const recall = wants - Math.max(this.#free, 0);
    for (const other of recalled) this.#init.order(other, { id: this.#id, granted: 0, isAnswer: false, recall });
    this.#init.later(() => this.#giveUpOn(recalled), PATIENCE_MS);
    return true;
  }

  #giveUpOn(recalled: Set<WorkerId>): void {
    if (this.#recalled !== recalled) return;
    for (const worker of recalled) this.#silent.add(worker);
    this.#answerFirst();
    this.#settle();
  }

  #noteAnswer(worker: WorkerId): void {
    const recalled = this.#recalled;
    if (recalled === null) return;
    recalled.delete(worker);
    if (recalled.size === 0) this.#answerFirst();
  }

  #answerFirst(): void {
    this.#recalled = null;
    const ask = this.#asks.shift();
    if (ask !== undefined) this.#lend(ask);
  }

  /** What is wanted and free; where there is plenty, a worker's even share at once. */
  #lend({ worker, wants }: SlotAsk): void {
    const lent = this.#lent.get(worker);
    if (lent === undefined) return;
    const share = Math.floor(this.#mostConns / this.#lent.size) - lent;
    const granted = Math.max(Math.min(this.#free, Math.max(wants, share)), 0);
    this.#lent.set(worker, lent + granted);
    this.#free -= granted;
    this.#init.order(worker, { id: this.#id, granted, isAnswer: true, recall: 0 });
  }
}
