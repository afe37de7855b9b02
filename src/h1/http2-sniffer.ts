import type { Wire, WireSink } from '../net/wire.ts';

/** What the reader of the first bytes needs of the connection. */
export interface Http2SnifferOwner extends WireSink {
  /** The preface alone tells (prior knowledge, RFC 9113 section 3.3). */
  readonly mayBeginHttp2: boolean;
  /** It was agreed upon by ALPN. */
  readonly hasChosenHttp2: boolean;
  /** It is HTTP/2: `bytes` are all that were read; the wire is the other engine's from here on. */
  becomeHttp2(bytes: Buffer): void;
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/**
 * Stands between a wire and its connection until the first bytes have told whether they are HTTP/2, in however many pieces; then it is out
 * of the way. Connections where HTTP/2 can't come never see it, and any other first byte than `P` ends it at once.
 */
export class Http2Sniffer implements WireSink {
  readonly #wire: Wire;
  readonly #owner: Http2SnifferOwner;
  /** The beginning of the preface, as far as it has come. */
  #held = 0;

  constructor(wire: Wire, owner: Http2SnifferOwner) {
    this.#wire = wire;
    this.#owner = owner;
  }

  onBytes(buffer: Buffer, length: number): void {
    const held = this.#held;
    const compared = Math.min(length, PREFACE.length - held);
    const isPreface = PREFACE.compare(buffer, 0, compared, held, held + compared) === 0;
    if (this.#owner.hasChosenHttp2) return this.#owner.becomeHttp2(this.#all(buffer, length));
    if (isPreface && this.#owner.mayBeginHttp2) {
      if (held + compared === PREFACE.length) return this.#owner.becomeHttp2(this.#all(buffer, length));
      this.#held += compared;
      return;
    }
    this.#wire.sink = this.#owner;
    if (held === 0) this.#owner.onBytes(buffer, length);
    else {
      const all = this.#all(buffer, length);
      this.#owner.onBytes(all, all.length);
    }
  }

  onFin(): void {
    this.#giveUp().onFin();
  }

  onDrain(): void {
    // nothing was written
  }

  onClose(error: Error | null): void {
    this.#giveUp().onClose(error);
  }

  /** A copy: the buffer may be shared. */
  #all(buffer: Buffer, length: number): Buffer {
    return Buffer.concat([PREFACE.subarray(0, this.#held), buffer.subarray(0, length)]);
  }

  /** What came of a preface that is not whole is the beginning of a request that isn't either. */
  #giveUp(): Http2SnifferOwner {
    this.#wire.sink = this.#owner;
    if (this.#held > 0) this.#owner.onBytes(Buffer.from(PREFACE.subarray(0, this.#held)), this.#held);
    return this.#owner;
  }
}
