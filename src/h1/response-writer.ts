import type { Exchange } from '../http/exchange.ts';
import type { HeaderBlock } from '../http/header-block.ts';
import type { CoreSettings } from '../http/location.ts';
import { statusText } from '../http/reason-phrase.ts';
import type { Wire } from '../net/wire.ts';
import { writeCrLf, writeText } from './byte-writer.ts';
import { type OutOwner, out } from './out-buffer.ts';
import { fieldsText, type ResponseFraming, responseHeadBound, writeResponseHead } from './response-head-writer.ts';

/** From here on body bytes that don't share a write with a head go to the socket as they are, not through the output buffer. */
const DIRECT_BYTES = 16 * 1024;
const CHUNK_OVERHEAD_BYTES = 20;
/** Larger ones are split, so that each fits into the output buffer. */
const MAX_CHUNK_BYTES = 64 * 1024;
const LAST_CHUNK = '0\r\n';

/**
 * Writes one response after the other on one client connection: head, framing, body. Gathers what it can into one write (out-buffer).
 */
export class ResponseWriter implements OutOwner {
  readonly #wire: Wire;
  readonly #onPending: () => void;
  isHeadSent = false;
  /** Bytes given to the wire for this response, and how many of them were the head. */
  writtenBytes = 0;
  headBytes = 0;
  #framing: ResponseFraming = 'none';
  #dropsBody = false;
  #remaining = 0;

  /** `onPending`: the kernel did not take everything; the connection watches send_timeout. */
  constructor(wire: Wire, onPending: () => void) {
    this.#wire = wire;
    this.#onPending = onPending;
  }

  reset(): void {
    this.isHeadSent = false;
    this.writtenBytes = 0;
    this.headBytes = 0;
    this.#framing = 'none';
    this.#dropsBody = false;
    this.#remaining = 0;
  }

  /** Bytes announced by Content-Length and not yet given. */
  get missingBytes(): number {
    return this.#framing === 'length' ? this.#remaining : 0;
  }

  get isDelimitedByClose(): boolean {
    return this.#framing === 'until-close';
  }

  /** Chooses the framing; the caller then decides about persistence (`isDelimitedByClose`) before `writeHead`. */
  chooseFraming(ex: Exchange, core: CoreSettings): void {
    const head = ex.response;
    const { version } = ex.request;
    this.#dropsBody = ex.isHeadOnly;
    this.#remaining = 0;
    if (head.status < 200 || ex.isHeadOnly) this.#framing = 'none';
    else if (head.contentLength >= 0 && !(head.expectsTrailers && version >= 11 && core.chunkedTransferEncoding)) {
      this.#framing = 'length';
      this.#remaining = head.contentLength;
    } else if (version >= 11 && core.chunkedTransferEncoding) {
      this.#framing = 'chunked';
      head.contentLength = -1;
    } else this.#framing = 'until-close';
  }

  writeHead(ex: Exchange, core: CoreSettings, isKeepAlive: boolean): void {
    this.isHeadSent = true;
    // HTTP/0.9 has no heads.
    if (ex.request.version === 9) return;
    out.claimWhole(this, responseHeadBound(ex.response));
    const start = out.length;
    out.length = writeResponseHead(out.bytes, start, ex.response, core, this.#framing, isKeepAlive);
    this.headBytes = out.length - start;
  }

  /** 100 and 103: at once. */
  writeInformational(status: number, fields: HeaderBlock | null): void {
    const text = `HTTP/1.1 ${statusText(status)}\r\n${fields === null ? '' : fieldsText(fields)}\r\n`;
    this.#gatherText(text);
    this.flushOut();
  }

  /** See ClientStream.sendBody. */
  writeBody(chunk: Uint8Array): boolean {
    if (this.#dropsBody || this.#wire.isDestroyed || chunk.length === 0) return true;
    let body = chunk;
    if (this.#framing === 'length') {
      // More than was announced would be read as the next response.
      if (body.length > this.#remaining) body = body.subarray(0, this.#remaining);
      this.#remaining -= body.length;
      if (body.length === 0) return true;
    }
    const isChunked = this.#framing === 'chunked';
    if (isChunked && body.length > MAX_CHUNK_BYTES) {
      let isTaken = true;
      for (let at = 0; at < body.length; at += MAX_CHUNK_BYTES)
        isTaken = this.writeBody(body.subarray(at, at + MAX_CHUNK_BYTES));
      return isTaken;
    }
    // 1. the kernel is behind: queue it, so that the caller waits
    if (this.#wire.pendingBytes > 0) {
      this.flushOut();
      if (isChunked) {
        const framed = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]);
        return this.#write(framed);
      }
      return this.#write(body);
    }
    // 2. large and alone: as it is
    const sharesWrite = out.owner === this;
    if (!isChunked && !sharesWrite && body.length >= DIRECT_BYTES) return this.#write(body);
    // 3. gather
    if (!out.claim(this, body.length + CHUNK_OVERHEAD_BYTES)) {
      this.flushOut();
      if (!isChunked) return this.#write(body);
      if (!out.claim(this, body.length + CHUNK_OVERHEAD_BYTES)) throw new Error('chunk larger than the output buffer');
    }
    let at = out.length;
    if (isChunked) at = writeCrLf(out.bytes, writeText(out.bytes, at, body.length.toString(16)));
    out.bytes.set(body, at);
    at += body.length;
    out.length = isChunked ? writeCrLf(out.bytes, at) : at;
    return true;
  }

  /** Last chunk and trailers, where the framing has them; then everything goes out. */
  writeEnd(trailers: HeaderBlock | null): void {
    if (this.#framing === 'chunked' && !this.#dropsBody) {
      this.#gatherText(trailers === null ? `${LAST_CHUNK}\r\n` : `${LAST_CHUNK}${fieldsText(trailers)}\r\n`);
    }
    this.flushOut();
  }

  /** Raw bytes of a tunnel. */
  writeRaw(chunk: Uint8Array): boolean {
    this.flushOut();
    return this.#write(chunk);
  }

  flushOut(): void {
    if (out.owner !== this) return;
    this.writtenBytes += out.gathered;
    if (!out.writeTo(this.#wire)) this.#onPending();
  }

  /** The connection is gone. */
  drop(): void {
    out.drop(this);
  }

  #write(bytes: Uint8Array): boolean {
    this.writtenBytes += bytes.length;
    if (this.#wire.write(bytes)) return true;
    this.#onPending();
    return false;
  }

  #gatherText(text: string): void {
    out.claimWhole(this, text.length);
    out.length = writeText(out.bytes, out.length, text);
  }
}
