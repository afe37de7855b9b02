import type { Deadlined, Deadlines } from '../../core/deadlines.ts';
import { ProxyError } from '../../core/errors.ts';
import type { ClientStream, TunnelEnd, TunnelSink } from '../../http/client-stream.ts';
import type { UpstreamConnection } from '../../http/upstream-connection.ts';

export interface TunnelOwner {
  /** Both directions are over; null = in order. The client's end is still to be closed. */
  onTunnelOver(error: ProxyError | null): void;
}

/**
 * Bytes both ways after a 101, with back-pressure. A FIN of one side is passed on to the other, which may still send;
 * a failure of one side, or silence of both for `idleMs`, ends both.
 */
export class Tunnel implements Deadlined {
  deadlineAtMs = Number.POSITIVE_INFINITY;
  sweepIndex = -1;
  readonly #deadlines: Deadlines;
  readonly #now: () => number;
  readonly #idleMs: number;
  readonly #owner: TunnelOwner;
  readonly #toPeer: Direction;
  readonly #toClient: Direction;
  #isOver = false;

  constructor(deadlines: Deadlines, now: () => number, idleMs: number, owner: TunnelOwner) {
    this.#deadlines = deadlines;
    this.#now = now;
    this.#idleMs = idleMs;
    this.#owner = owner;
    this.#toPeer = new Direction(this);
    this.#toClient = new Direction(this);
  }

  open(stream: ClientStream, connection: UpstreamConnection): void {
    const toPeer = this.#toPeer;
    const toClient = this.#toClient;
    toPeer.back = toClient;
    toClient.back = toPeer;
    const peer = connection.openTunnel(toClient);
    const client = stream.openTunnel(toPeer);
    this.touch();
    toClient.connect(peer, client);
    toPeer.connect(client, peer);
  }

  /** Something moved. */
  touch(): void {
    if (!this.#isOver && this.#idleMs > 0) this.#deadlines.set(this, this.#now() + this.#idleMs);
  }

  onDeadline(): void {
    this.finish(
      new ProxyError('read-timeout', 'upstream timed out (110: Connection timed out)', {
        side: 'upstream',
        status: 504,
      }),
    );
  }

  /** Both sides have sent their FIN, and what they sent before it is on its way. */
  finishWhenDone(): void {
    const a = this.#toPeer;
    const b = this.#toClient;
    if (a.isEnded && b.isEnded && !a.isWaiting && !b.isWaiting) this.finish(null);
  }

  finish(error: ProxyError | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadlines.remove(this);
    this.#toPeer.close();
    this.#toClient.close();
    this.#owner.onTunnelOver(error);
  }
}

/** One direction: the sink of its source, and what is written to its target. */
class Direction implements TunnelSink {
  /** The other direction: its source is this one's target. */
  back: Direction | null = null;
  isEnded = false;
  /** The target has not taken all that was written. */
  isWaiting = false;
  readonly #tunnel: Tunnel;
  #source: TunnelEnd | null = null;
  #target: TunnelEnd | null = null;
  /** What came before the target was there. */
  #early: Buffer[] = [];
  #isClosed = false;

  constructor(tunnel: Tunnel) {
    this.#tunnel = tunnel;
  }

  connect(source: TunnelEnd, target: TunnelEnd): void {
    this.#source = source;
    this.#target = target;
    const early = this.#early;
    this.#early = [];
    for (const chunk of early) this.#write(chunk);
    if (this.isEnded) target.end();
  }

  onTunnelData(chunk: Buffer): void {
    if (this.#isClosed) return;
    this.#tunnel.touch();
    // The view is valid during this call only, and the target may keep it until it is writable.
    const kept = Buffer.from(chunk);
    if (this.#target === null) this.#early.push(kept);
    else this.#write(kept);
  }

  /** This direction's source can be written: the other direction may go on. */
  onTunnelWritable(): void {
    const { back } = this;
    if (back === null) return;
    back.isWaiting = false;
    this.#tunnel.touch();
    back.resume();
    this.#tunnel.finishWhenDone();
  }

  onTunnelEnd(error: ProxyError | null): void {
    if (this.#isClosed) return;
    if (this.isEnded) {
      // Its FIN came before, and now the whole connection is gone: nothing can be written to it any more.
      this.#tunnel.finish(this.back?.isEnded === true ? null : error);
      return;
    }
    this.isEnded = true;
    if (error !== null) {
      this.#tunnel.finish(error);
      return;
    }
    this.#target?.end();
    this.#tunnel.finishWhenDone();
  }

  resume(): void {
    if (!this.#isClosed) this.#source?.resume();
  }

  close(): void {
    this.#isClosed = true;
    this.#early = [];
  }

  #write(chunk: Buffer): void {
    if (this.#target?.write(chunk) !== false) return;
    this.isWaiting = true;
    this.#source?.pause();
  }
}
