import type { ServerHttp2Stream } from 'node:http2';
import { ProxyError } from '../core/errors.ts';
import { out } from '../h1/out-buffer.ts';
import type { BodySink } from '../http/client-stream.ts';

/** What the body needs of its stream. */
export interface BodyInputOwner {
  /** More is awaited: client_body_timeout begins anew. */
  watchBody(): void;
  /** No more is awaited. */
  unwatchBody(): void;
  onBodyBytes(bytes: number): void;
  /** The client has reset the stream while bytes of the body were still waiting for their reader. */
  bodyBroken(): void;
}

/**
 * The body of one request. Nothing of it is read before somebody wants it: the client's window is as large as `http2_body_preread_size`, and
 * grows by what was read. Paused, it is not read either; so a slow reader slows its client.
 *
 * Trap: node:http2 ends the readable side of a stream that was reset without an error as if the body was whole; `aborted` tells.
 */
export class RequestBodyInput {
  readonly #node: ServerHttp2Stream;
  readonly #owner: BodyInputOwner;
  readonly #lengthBytes: number;
  #sink: BodySink | null = null;
  #maxBytes = 0;
  #isAttached = false;
  #isPaused = false;
  receivedBytes = 0;
  /** All of it was read. */
  isDone = false;

  /** `lengthBytes`: what Content-Length says; -1 = nothing. */
  constructor(node: ServerHttp2Stream, lengthBytes: number, owner: BodyInputOwner) {
    this.#node = node;
    this.#owner = owner;
    this.#lengthBytes = lengthBytes;
  }

  /** Somebody waits for its end. */
  get isWaitedFor(): boolean {
    return this.#sink !== null && !this.isDone;
  }

  /** `maxBytes` bounds a body of unknown length; 0 = none. */
  deliverTo(sink: BodySink, maxBytes: number): void {
    if (this.isDone) {
      sink.onBodyEnd(null);
      return;
    }
    this.#sink = sink;
    this.#maxBytes = this.#lengthBytes < 0 ? maxBytes : 0;
    this.#isPaused = false;
    if (this.#isAttached) this.#node.resume();
    else this.#attach();
  }

  pause(): void {
    this.#isPaused = true;
    if (this.#isAttached && !this.isDone) this.#node.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#isAttached && this.#sink !== null) this.#node.resume();
  }

  /** Nobody wants the rest. What node:http2 holds of it must go, or the stream never ends. */
  drop(): void {
    this.#sink = null;
    if (this.#isAttached && !this.isDone && !this.#node.destroyed) this.#node.resume();
  }

  /** The sink hears of the failure, once. */
  fail(error: ProxyError): void {
    const sink = this.#sink;
    this.#sink = null;
    this.#owner.unwatchBody();
    if (this.#isAttached && !this.#node.destroyed) this.#node.pause();
    sink?.onBodyError(error);
  }

  #attach(): void {
    this.#isAttached = true;
    const node = this.#node;
    node.on('end', () => this.#onEnd());
    node.on('aborted', () => {
      // Told apart, for a paused body delays the close event.
      if (this.#isPaused) queueMicrotask(() => this.#owner.bodyBroken());
    });
    node.on('data', (chunk: Buffer) => this.#onData(chunk));
  }

  #onData(chunk: Buffer): void {
    this.receivedBytes += chunk.length;
    this.#owner.onBodyBytes(chunk.length);
    const sink = this.#sink;
    if (sink === null) return;
    out.enterTurn();
    if (this.#maxBytes > 0 && this.receivedBytes > this.#maxBytes) {
      const sizes = `${this.receivedBytes - chunk.length}+${chunk.length}`;
      this.fail(
        new ProxyError('body-too-large', `client intended to send too large chunked body: ${sizes} bytes`, {
          side: 'client',
          status: 413,
        }),
      );
    } else {
      this.#owner.watchBody();
      sink.onBodyData(chunk);
    }
    out.leaveTurn();
  }

  #onEnd(): void {
    const isWhole = !this.#node.aborted && (this.#lengthBytes < 0 || this.receivedBytes === this.#lengthBytes);
    if (!isWhole) return; // the close event tells
    out.enterTurn();
    this.isDone = true;
    const sink = this.#sink;
    this.#sink = null;
    if (sink !== null) {
      this.#owner.unwatchBody();
      sink.onBodyEnd(null);
    }
    out.leaveTurn();
  }
}
