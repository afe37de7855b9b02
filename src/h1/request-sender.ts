import type { UpstreamRequest } from '../http/upstream-connection.ts';
import type { Wire } from '../net/wire.ts';
import { writeCrLf, writeText } from './byte-writer.ts';
import { type OutOwner, out } from './out-buffer.ts';
import { requestHeadBound, writeRequestHead } from './request-head-writer.ts';

const CHUNK_OVERHEAD_BYTES = 24;
/** Larger chunks are not copied into the output buffer. */
const GATHERED_BYTES = 16 * 1024;
const LAST_CHUNK = '0\r\n\r\n';
const LAST_CHUNK_BYTES = Buffer.from(LAST_CHUNK, 'latin1');

/** Writes one request after the other to a peer: head, body, chunk framing; head and what there is of the body in one write. */
export class RequestSender implements OutOwner {
  readonly #wire: Wire;
  #isChunked = false;
  /** All of the request was given. */
  isComplete = false;
  /** The kernel has not taken everything. */
  isWaiting = false;
  /** Bytes given to the wire for this request. */
  bytesSent = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** True: the kernel took it all. */
  send(request: UpstreamRequest, body: Uint8Array | null, isLast: boolean): boolean {
    this.#isChunked = request.isChunked;
    this.isComplete = isLast;
    this.bytesSent = 0;
    const bodyBytes = body === null ? 0 : body.length + CHUNK_OVERHEAD_BYTES;
    const isGathered = out.claim(this, requestHeadBound(request) + bodyBytes + LAST_CHUNK.length);
    // A very large head or body: the head alone, then the body as it is.
    if (!isGathered) out.claimWhole(this, requestHeadBound(request));
    out.length = writeRequestHead(out.bytes, out.length, request);
    if (isGathered) {
      this.#gather(body, isLast);
      return this.#writeGathered();
    }
    this.#writeGathered();
    return body === null ? !this.isWaiting : this.sendBody(body, isLast);
  }

  sendBody(chunk: Uint8Array, isLast: boolean): boolean {
    this.isComplete = isLast;
    if (!this.#isChunked) return chunk.length === 0 ? !this.isWaiting : this.#write(chunk);
    if (chunk.length <= GATHERED_BYTES && out.claim(this, chunk.length + CHUNK_OVERHEAD_BYTES + LAST_CHUNK.length)) {
      this.#gather(chunk, isLast);
      return this.#writeGathered();
    }
    const parts = [Buffer.from(`${chunk.length.toString(16)}\r\n`, 'latin1'), chunk, Buffer.from('\r\n', 'latin1')];
    if (isLast) parts.push(LAST_CHUNK_BYTES);
    return this.#write(Buffer.concat(parts));
  }

  /** Raw bytes of a tunnel. */
  sendRaw(chunk: Uint8Array): boolean {
    return this.#write(chunk);
  }

  flushOut(): void {
    if (out.owner === this) this.#writeGathered();
  }

  /** The connection is gone. */
  drop(): void {
    out.drop(this);
  }

  #gather(body: Uint8Array | null, isLast: boolean): void {
    const { bytes } = out;
    let at = out.length;
    if (body !== null && body.length > 0) {
      if (this.#isChunked) at = writeCrLf(bytes, writeText(bytes, at, body.length.toString(16)));
      bytes.set(body, at);
      at += body.length;
      if (this.#isChunked) at = writeCrLf(bytes, at);
    }
    if (this.#isChunked && isLast) at = writeText(bytes, at, LAST_CHUNK);
    out.length = at;
  }

  #writeGathered(): boolean {
    this.bytesSent += out.gathered;
    const isTaken = out.writeTo(this.#wire);
    if (!isTaken) this.isWaiting = true;
    return isTaken;
  }

  #write(bytes: Uint8Array): boolean {
    this.bytesSent += bytes.length;
    const isTaken = this.#wire.write(bytes);
    if (!isTaken) this.isWaiting = true;
    return isTaken;
  }
}
