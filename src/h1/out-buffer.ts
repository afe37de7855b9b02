import { beginTurn, endTurn, forgetTurn } from '../core/clock.ts';
import type { Wire } from '../net/wire.ts';
import { BATCHED, COPIED, TAKEN, writeBatch } from '../net/write-batch.ts';

/** A head, a full read from a peer and chunk framing fit. */
const CAPACITY_BYTES = 96 * 1024;
/** Room for the gathered output of one turn. */
const SLAB_BYTES = 4 * CAPACITY_BYTES;

/** As many answers of 16 KiB as 64 busy clients get in one turn. */
const MAX_SPARE_SLABS = 4;

/** Whoever gathers output in the shared buffer. */
export interface OutOwner {
  /** Writes what it has gathered. */
  flushOut(): void;
}

/**
 * The worker's one output buffer: a connection gathers a head, body bytes and framing in it and writes them at once (two writes cost
 * 12 us more than one).
 *
 * ```
 * bytes   | in the batch, until it is flushed | this owner's: start ... length | free |
 * ```
 * Invariants: one owner at a time; somebody else's claim, and the end of the turn, flush the owner's bytes first. Bytes of a write that is not
 * through stay as they are: behind a batch the next owner writes on, and starts over when the kernel has all of it; when the kernel is
 * behind, the queued write keeps the slab and a fresh one takes its place. Slabs that a batch has filled are used again when the kernel has all of it.
 */
class OutBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  /** Where the owner's bytes begin, and where the next one goes. */
  start = 0;
  length = 0;
  owner: OutOwner | null = null;
  /** A write that the kernel has not taken yet lies in this slab: it is never written over, a fresh one takes its place. */
  #isHeld = false;
  /** Slabs that this turn's batch has filled; those of the batch that is being flushed; those that are free. */
  #full: Buffer[] = [];
  #flushing: Buffer[] = [];
  readonly #spare: Buffer[] = [];
  #isTurnEndPlanned = false;
  #depth = 0;
  readonly #endTurn = () => {
    this.#isTurnEndPlanned = false;
    this.flush();
  };

  constructor() {
    // One turn for all that the batch sets in motion.
    writeBatch.onFlushing = () => {
      forgetTurn();
      [this.#flushing, this.#full] = [this.#full, this.#flushing];
      this.enterTurn();
    };
    writeBatch.onFlushed = (isAllTaken) => {
      this.leaveTurn();
      forgetTurn();
      this.#recycle(isAllTaken);
      if (!isAllTaken) this.#isHeld = true;
      if (this.owner !== null || !writeBatch.isEmpty) return;
      if (this.#isHeld) this.#renew(SLAB_BYTES);
      else this.start = 0;
    };
  }

  /** Bytes that the owner has gathered. */
  get gathered(): number {
    return this.length - this.start;
  }

  /** Room for `bytes` more of this owner's, whose earlier bytes stay in front; false when they can't fit: flush, then write directly. */
  claim(owner: OutOwner, bytes: number): boolean {
    if (this.owner !== owner) {
      if (this.owner !== null) this.owner.flushOut();
      this.owner = owner;
      if (this.start + CAPACITY_BYTES > this.bytes.length) {
        if (!this.#isHeld && this.bytes.length === SLAB_BYTES) this.#full.push(this.bytes);
        this.#renew(SLAB_BYTES);
      }
      this.length = this.start;
      // Outside of a socket's callback nobody calls leaveTurn.
      if (this.#depth === 0 && !this.#isTurnEndPlanned) {
        this.#isTurnEndPlanned = true;
        queueMicrotask(this.#endTurn);
      }
    }
    if (this.length + bytes <= this.bytes.length) return true;
    // A head larger than what is left: a slab of its own.
    if (this.gathered === 0 && bytes <= SLAB_BYTES) {
      this.#renew(SLAB_BYTES);
      return true;
    }
    return false;
  }

  /** As `claim`, for a head, which can't be split: the buffer grows as far as it must. Its limits are the configuration's. */
  claimWhole(owner: OutOwner, bytes: number): void {
    if (this.claim(owner, bytes)) return;
    owner.flushOut();
    if (!this.claim(owner, bytes)) this.#renew(bytes);
  }

  /** Around each socket callback: what was gathered in it is written at its end. */
  enterTurn(): void {
    if (this.#depth++ === 0) beginTurn();
  }

  leaveTurn(): void {
    if (--this.#depth > 0) return;
    if (this.owner !== null) this.owner.flushOut();
    // A batch is a sign that this turn of the event loop is not over, and its flush is what ends it.
    endTurn(!writeBatch.isEmpty);
  }

  flush(): void {
    if (this.owner !== null) this.owner.flushOut();
  }

  /** The owner's bytes go to its wire, now or with the batch. True: the kernel has them. */
  writeTo(wire: Wire): boolean {
    const { start, gathered } = this;
    this.owner = null;
    if (gathered === 0) return true;
    const result = wire.writeSoon(new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + start, gathered));
    if (result === TAKEN || result === COPIED) {
      this.length = start;
      if (this.bytes.length > SLAB_BYTES) this.#renew(SLAB_BYTES);
    } else if (result === BATCHED) this.start = this.length;
    else this.#renew(SLAB_BYTES);
    return result === TAKEN;
  }

  /** The batch is gone, and with it what lay in the slabs that it filled. */
  #recycle(isAllTaken: boolean): void {
    // One that was filled during the flush may hold bytes of this batch too.
    if (!isAllTaken) this.#full.length = 0;
    for (const slab of this.#flushing) if (isAllTaken && this.#spare.length < MAX_SPARE_SLABS) this.#spare.push(slab);
    this.#flushing.length = 0;
  }

  #renew(bytes: number): void {
    this.bytes = (bytes === SLAB_BYTES ? this.#spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(bytes);
    this.start = 0;
    this.length = 0;
    this.#isHeld = false;
  }

  /** The owner is gone: its bytes too. */
  drop(owner: OutOwner): void {
    if (this.owner !== owner) return;
    this.owner = null;
    this.length = this.start;
  }
}

export const out = new OutBuffer();
