import type { ServerSettings } from '../http/location.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { H1Server } from './h1-server.ts';
import type { InputQueue } from './input-queue.ts';
import { RequestHeadParser } from './request-head-parser.ts';

/**
 * The head that a client connection is reading: its bytes and its parser.
 *
 * Invariant: the bytes lie in a storage of their own, which belongs to the exchange until `giveBack`; the socket's read buffer is shared.
 */
export class HeadInput {
  readonly parser = new RequestHeadParser();
  readonly #server: H1Server;
  #settings: ServerSettings | null = null;
  #storage: Buffer | null = null;
  #stored = 0;

  constructor(server: H1Server) {
    this.#server = server;
  }

  begin(settings: ServerSettings, isPipelined: boolean): void {
    this.#settings = settings;
    this.#storage = this.#server.takeHeadStorage(settings.clientHeaderBufferBytes);
    this.#stored = 0;
    this.parser.begin(settings, isPipelined);
  }

  /** No byte of it was looked at yet. */
  get isFresh(): boolean {
    return this.#stored === 0;
  }

  /**
   * Takes what belongs to the head out of the input. Returns the head's length when it is whole; below zero it is not,
   * and `parser.refusal` says whether it ever can be.
   */
  take(input: InputQueue, head: RequestHead): number {
    // The parser refuses a head before it is larger than nginx's buffers together: there is always room to grow.
    let storage = this.#storage as Buffer;
    if (this.#stored === storage.length) storage = this.#grow(storage);
    const before = this.#stored;
    const taken = Math.min(input.length, storage.length - before);
    input.bytes.copy(storage, before, input.start, input.start + taken);
    this.#stored = before + taken;
    const end = this.parser.parse(storage, this.#stored, head);
    input.start += end < 0 ? taken : end - before;
    return end;
  }

  /** For `$request`, when no more is to come. */
  keepPartialLine(head: RequestHead): void {
    if (this.#storage !== null) this.parser.keepPartialLine(this.#storage, this.#stored, head);
  }

  /** The exchange is over. */
  giveBack(): void {
    if (this.#storage !== null) this.#server.giveHeadStorageBack(this.#storage);
    this.#storage = null;
  }

  #grow(storage: Buffer): Buffer {
    const leastBytes = (this.#settings as ServerSettings).largeHeaderBuffers.bytes;
    const larger = Buffer.allocUnsafeSlow(Math.max(storage.length * 2, leastBytes));
    storage.copy(larger, 0, 0, this.#stored);
    this.#server.giveHeadStorageBack(storage);
    this.#storage = larger;
    return larger;
  }
}
