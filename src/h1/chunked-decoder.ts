import { CR, HEX_VALUE, LF, SPACE, TAB } from '../core/byte-tables.ts';
import { HeaderBlock } from '../http/header-block.ts';
import { BAD_FIELD, FieldReader, INCOMPLETE, parseFieldLines } from './field-lines.ts';

/** Result of `decode`, where it isn't an offset. */
export const CHUNK_ERROR = -1;
export const CHUNK_TOO_LARGE = -2;

const MAX_EXTENSION_BYTES = 4096;
const MAX_TRAILER_BYTES = 16_384;
const MAX_SIZE_DIGITS = 12;
const SEMICOLON = 0x3b;

const STATES = [
  'size-start',
  'size',
  'size-space',
  'extension',
  'size-lf',
  'data',
  'data-cr',
  'data-lf',
  'trailers',
  'done',
] as const;
type State = (typeof STATES)[number];

/**
 * Chunked transfer coding (RFC 9112 section 7.1), strictly: CRLF only, at least one hex digit, sizes below 2^48, bounded extensions and
 * trailers. A lenient decoder and a lenient peer that disagree are a smuggled request.
 */
export class ChunkedDecoder {
  #state: State = 'size-start';
  #remaining = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailerBytes: Buffer | null = null;
  #trailerLength = 0;
  readonly #reader = new FieldReader();
  /** Fields behind the last chunk; null when there were none. */
  trailers: HeaderBlock | null = null;
  /** Most body bytes in all; 0 = no limit. A chunk that goes beyond is refused by its size, before its bytes. */
  maxBytes = 0;
  /** Body bytes of the chunks before the present one, and of that. */
  earlierBytes = 0;
  chunkBytes = 0;

  get isDone(): boolean {
    return this.#state === 'done';
  }

  reset(): void {
    this.#state = 'size-start';
    this.#remaining = 0;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#trailerBytes = null;
    this.#trailerLength = 0;
    this.trailers = null;
    this.maxBytes = 0;
    this.earlierBytes = 0;
    this.chunkBytes = 0;
  }

  /**
   * Reads `bytes[start, end)`; calls `onData` with each run of body bytes (a view). Stops behind the coding's end, or when `onData`
   * returned false (the caller wants no more now). Returns the offset where it stopped, CHUNK_ERROR or CHUNK_TOO_LARGE.
   */
  decode(bytes: Buffer, start: number, end: number, onData: (view: Buffer) => boolean): number {
    let at = start;
    while (at < end) {
      const byte = bytes[at] as number;
      switch (this.#state) {
        case 'size-start':
        case 'size': {
          const digit = HEX_VALUE[byte] as number;
          if (digit !== 255) {
            if (++this.#digits > MAX_SIZE_DIGITS) return CHUNK_ERROR;
            this.#remaining = this.#remaining * 16 + digit;
            this.#state = 'size';
          } else if (this.#state === 'size-start') return CHUNK_ERROR;
          else if (byte === CR) this.#state = 'size-lf';
          else if (byte === SEMICOLON) this.#state = 'extension';
          else if (byte === SPACE || byte === TAB) this.#state = 'size-space';
          else return CHUNK_ERROR;
          at++;
          break;
        }
        case 'size-space':
          if (byte === SEMICOLON) this.#state = 'extension';
          else if (byte === CR) this.#state = 'size-lf';
          else if (byte !== SPACE && byte !== TAB) return CHUNK_ERROR;
          if (++this.#extensionBytes > MAX_EXTENSION_BYTES) return CHUNK_ERROR;
          at++;
          break;
        case 'extension':
          if (byte === CR) this.#state = 'size-lf';
          else if ((byte < SPACE && byte !== TAB) || byte === 0x7f) return CHUNK_ERROR;
          if (++this.#extensionBytes > MAX_EXTENSION_BYTES) return CHUNK_ERROR;
          at++;
          break;
        case 'size-lf':
          if (byte !== LF) return CHUNK_ERROR;
          at++;
          this.#digits = 0;
          this.earlierBytes += this.chunkBytes;
          this.chunkBytes = this.#remaining;
          if (this.maxBytes > 0 && this.earlierBytes + this.chunkBytes > this.maxBytes) return CHUNK_TOO_LARGE;
          this.#state = this.#remaining === 0 ? 'trailers' : 'data';
          break;
        case 'data': {
          const stop = Math.min(end, at + this.#remaining);
          this.#remaining -= stop - at;
          const view = bytes.subarray(at, stop);
          at = stop;
          if (this.#remaining === 0) this.#state = 'data-cr';
          if (!onData(view)) return at;
          break;
        }
        case 'data-cr':
          if (byte !== CR) return CHUNK_ERROR;
          at++;
          this.#state = 'data-lf';
          break;
        case 'data-lf':
          if (byte !== LF) return CHUNK_ERROR;
          at++;
          this.#state = 'size-start';
          break;
        case 'trailers': {
          const stop = this.#readTrailers(bytes, at, end);
          if (stop < 0) return CHUNK_ERROR;
          at = stop;
          break;
        }
        case 'done':
          return at;
      }
    }
    return at;
  }

  /** Gathers the trailer section until its empty line; returns where the bytes taken end. */
  #readTrailers(bytes: Buffer, at: number, end: number): number {
    // The usual end: no trailers at all.
    if (this.#trailerLength === 0 && end - at >= 2 && bytes[at] === CR && bytes[at + 1] === LF) {
      this.#state = 'done';
      return at + 2;
    }
    const before = this.#trailerLength;
    const taken = Math.min(end - at, MAX_TRAILER_BYTES - before);
    const gathered = Buffer.allocUnsafe(before + taken);
    this.#trailerBytes?.copy(gathered, 0, 0, before);
    bytes.copy(gathered, before, at, at + taken);
    this.#trailerBytes = gathered;
    this.#trailerLength = before + taken;
    const block = new HeaderBlock();
    block.reset(gathered);
    this.#reader.at = 0;
    const stop = parseFieldLines(gathered, gathered.length, this.#reader, block);
    if (stop === INCOMPLETE) return this.#trailerLength >= MAX_TRAILER_BYTES ? CHUNK_ERROR : at + taken;
    if (stop === BAD_FIELD || hasBareLf(gathered, stop)) return CHUNK_ERROR;
    this.#state = 'done';
    if (block.count > 0) this.trailers = block;
    return at + (stop - before);
  }
}

/** Inside chunked framing a line ends with CRLF, nothing else. */
function hasBareLf(bytes: Buffer, end: number): boolean {
  for (let i = 0; i < end; i++) if (bytes[i] === LF && bytes[i - 1] !== CR) return true;
  return false;
}
