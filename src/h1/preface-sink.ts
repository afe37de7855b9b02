import type { ProxyProtocol } from '../http/proxy-protocol.ts';
import { readProxyPreface } from '../net/proxy-preface.ts';
import type { Wire, WireSink } from '../net/wire.ts';

/** What the reader of a connection's PROXY protocol header needs of the connection. */
export interface PrefaceOwner extends WireSink {
  /** The header is whole; the bytes behind it come next, by `onBytes`. */
  prefaceRead(info: ProxyProtocol | null): void;
  /** It is none: close. `reason` is for the log; '' = none. */
  prefaceRefused(level: 'error' | 'info', reason: string): void;
}

/**
 * Stands between a wire and its connection until the PROXY protocol header has come, in however many pieces: then it is out of the way.
 * Connections without one never see it.
 */
export class PrefaceSink implements WireSink {
  readonly #wire: Wire;
  readonly #owner: PrefaceOwner;
  readonly #maxBytes: number;
  #bytes = '';

  constructor(wire: Wire, owner: PrefaceOwner, maxBytes: number) {
    this.#wire = wire;
    this.#owner = owner;
    this.#maxBytes = maxBytes;
  }

  onBytes(buffer: Buffer, length: number): void {
    const before = this.#bytes.length;
    this.#bytes += buffer.toString('latin1', 0, Math.min(length, this.#maxBytes + 1));
    const result = readProxyPreface(this.#bytes, this.#maxBytes);
    if (result.kind === 'more') return;
    if (result.kind === 'refused') {
      this.#owner.prefaceRefused('error', result.reason);
      return;
    }
    this.#wire.sink = this.#owner;
    this.#owner.prefaceRead(result.info);
    const rest = buffer.subarray(result.end - before, length);
    if (this.#wire.afterPreface !== undefined) this.#wire.afterPreface(rest);
    // Whoever the owner has put in its own place comes first.
    else if (rest.length > 0) this.#wire.sink.onBytes(rest, rest.length);
  }

  onFin(): void {
    if (this.#bytes === '') this.#owner.prefaceRefused('info', 'client closed connection');
    else this.#owner.prefaceRefused('error', `broken header: "${/^[^\r\n]*/.exec(this.#bytes)?.[0] ?? ''}"`);
  }

  onDrain(): void {
    // nothing was written
  }

  onClose(error: Error | null): void {
    this.#owner.onClose(error);
  }
}
