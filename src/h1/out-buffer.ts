import { beginTurn, endTurn } from '../core/clock.ts';
import type { Wire } from '../net/wire.ts';

/** A head, a full read from a peer and chunk framing fit. */
const CAPACITY_BYTES = 96 * 1024;

/** Whoever gathers output in the shared buffer. */
export interface OutOwner {
  /** Writes what it has gathered. */
  flushOut(): void;
}

/**
 * The worker's one output buffer: a connection gathers a head, body bytes and framing in it and writes them at once (two writes cost
 * 12 us more than one).
 *
 * Invariant: one owner at a time. Somebody else's claim, and the end of the turn, flush the owner's bytes first. When the kernel did not take
 * everything, the queued write keeps the buffer and a fresh one takes its place.
 */
class OutBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(CAPACITY_BYTES);
  length = 0;
  owner: OutOwner | null = null;
  #isTurnEndPlanned = false;
  #depth = 0;
  readonly #endTurn = () => {
    this.#isTurnEndPlanned = false;
    this.flush();
  };

  /** Room for `bytes` more of this owner's, whose earlier bytes stay in front; false when they can't fit: flush, then write directly. */
  claim(owner: OutOwner, bytes: number): boolean {
    if (this.owner !== owner) {
      if (this.owner !== null) this.owner.flushOut();
      this.owner = owner;
      this.length = 0;
      // Outside of a socket's callback nobody calls leaveTurn.
      if (this.#depth === 0 && !this.#isTurnEndPlanned) {
        this.#isTurnEndPlanned = true;
        queueMicrotask(this.#endTurn);
      }
    }
    if (this.length + bytes <= this.bytes.length) return true;
    // A head larger than the whole buffer: grow it once.
    if (this.length === 0 && bytes <= 4 * CAPACITY_BYTES) {
      this.bytes = Buffer.allocUnsafeSlow(bytes);
      return true;
    }
    return false;
  }

  /** As `claim`, for a head, which can't be split: the buffer grows as far as it must. Its limits are the configuration's. */
  claimWhole(owner: OutOwner, bytes: number): void {
    if (this.claim(owner, bytes)) return;
    owner.flushOut();
    if (!this.claim(owner, bytes)) this.bytes = Buffer.allocUnsafeSlow(bytes);
  }

  /** Around each socket callback: what was gathered in it is written at its end. */
  enterTurn(): void {
    if (this.#depth++ === 0) beginTurn();
  }

  leaveTurn(): void {
    if (--this.#depth > 0) return;
    if (this.owner !== null) this.owner.flushOut();
    endTurn();
  }

  flush(): void {
    if (this.owner !== null) this.owner.flushOut();
  }

  /** The owner's bytes go to its wire. Returns what `wire.write` said. */
  writeTo(wire: Wire): boolean {
    const { length } = this;
    this.owner = null;
    this.length = 0;
    if (length === 0) return true;
    const isTaken = wire.write(new Uint8Array(this.bytes.buffer, this.bytes.byteOffset, length));
    if (!isTaken || this.bytes.length > CAPACITY_BYTES) this.bytes = Buffer.allocUnsafeSlow(CAPACITY_BYTES);
    return isTaken;
  }

  /** The owner is gone: its bytes too. */
  drop(owner: OutOwner): void {
    if (this.owner !== owner) return;
    this.owner = null;
    this.length = 0;
  }
}

export const out = new OutBuffer();
