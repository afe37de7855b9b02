import type { PeerView } from '../policy/peer-view.ts';

/** What a worker holds of a peer's `max_conns`, in a group with a `zone`. */
export class SlotLease implements NonNullable<PeerView['lease']> {
  readonly id: string;
  /** Below 0: more is under way than this worker has slots for, since the limit came with a reload. */
  left: number;
  /** The limit that the slots were taken under. */
  mostConns: number;
  /** The limit has become smaller: slots go back as requests end. */
  isShrinking = false;
  /** Who waits for a slot: for the answer that is due, and for the next one. */
  asked: SlotWaiter[] = [];
  pending: SlotWaiter[] = [];
  /** Counts questions; one is open at a time. */
  question = 0;
  isAsking = false;

  constructor(id: string, mostConns: number, active: number) {
    this.id = id;
    this.mostConns = mostConns;
    this.left = -active;
  }

  /** Takes up to `count` unused slots out; says how many. */
  giveUp(count: number): number {
    const given = Math.max(Math.min(this.left, count), 0);
    this.left -= given;
    return given;
  }
}

/** A request that waits for a slot at one of some peers. */
export class SlotWaiter {
  readonly #done: () => void;
  /** Peers that have not answered yet. */
  awaited: number;
  isOver = false;

  constructor(awaited: number, done: () => void) {
    this.awaited = awaited;
    this.#done = done;
  }

  /** There is a slot, or all have said that there is none. */
  finish(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#done();
  }

  cancel(): void {
    this.isOver = true;
  }
}
