import { NO_SINK, type Wire, type WireSink } from '../../src/net/wire.ts';
import { BEHIND, TAKEN, type WriteResult } from '../../src/net/write-batch.ts';

/** A wire without a socket: the test is the other side. Writes are recorded; `isStuck` makes the kernel take nothing. */
export class FakeWire implements Wire {
  sink: WireSink = NO_SINK;
  remoteAddress = '127.0.0.1';
  remotePort = 40000;
  localAddress = '127.0.0.1';
  localPort = 80;
  pendingBytes = 0;
  isDestroyed = false;
  isPaused = false;
  isEnded = false;
  isReset = false;
  isStuck = false;
  /** Everything written, as a byte string. */
  written = '';
  writes = 0;
  readonly #waiting: string[] = [];

  write(chunk: Uint8Array): boolean {
    if (this.isDestroyed) return true;
    this.writes++;
    this.written += Buffer.from(chunk).toString('latin1');
    if (!this.isStuck) return true;
    this.pendingBytes += chunk.length;
    return false;
  }

  /** The kernel takes everything that waits. */
  drain(): void {
    this.isStuck = false;
    if (this.pendingBytes === 0) return;
    this.pendingBytes = 0;
    this.sink.onDrain();
  }

  writeSoon(chunk: Uint8Array): WriteResult {
    return this.write(chunk) ? TAKEN : BEHIND;
  }

  setNoDelay(): void {
    // no kernel here
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    while (!this.isPaused && this.#waiting.length > 0) this.#deliver(this.#waiting.shift() as string);
  }

  detachBuffer(): boolean {
    return false;
  }

  end(): void {
    this.isEnded = true;
  }

  endAndClose(): void {
    this.isEnded = true;
    this.destroy();
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    const { sink } = this;
    this.sink = NO_SINK;
    sink.onClose(null);
  }

  reset(): void {
    this.isReset = true;
    this.destroy();
  }

  // --- the other side

  /** Bytes arrive; they wait while the wire is paused. */
  receive(text: string): void {
    if (this.isDestroyed || text === '') return;
    if (this.isPaused) this.#waiting.push(text);
    else this.#deliver(text);
  }

  /** FIN arrives. */
  finish(): void {
    if (!this.isDestroyed) this.sink.onFin();
  }

  /** The connection breaks. */
  break(code: string, syscall = 'read'): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    const { sink } = this;
    this.sink = NO_SINK;
    sink.onClose(Object.assign(new Error(`${syscall} ${code}`), { code, syscall }));
  }

  // The buffer is overwritten afterwards: whoever kept a view of it is found out.
  #deliver(text: string): void {
    const buffer = Buffer.from(text, 'latin1');
    this.sink.onBytes(buffer, buffer.length);
    buffer.fill('#');
  }
}
