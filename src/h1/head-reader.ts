import type { ServerSettings } from '../http/location.ts';
import { FieldReader } from './field-lines.ts';

/** What nginx cuts a logged line at: NGX_MAX_ERROR_STR less the room for the rest of the message. */
const MAX_LOGGED_BYTES = 1748;
const MAX_DROPPED = 100;

/**
 * Room for a request's head as nginx gives it: one buffer of client_header_buffer_size, then large_client_header_buffers, each of which
 * begins with the line that did not fit into the one before. A line must fit into one buffer. Here all of it is one storage;
 * this class keeps count.
 */
export class HeadReader extends FieldReader {
  /** Lines that were left out because of their names, for the log (bounded). */
  readonly dropped: string[] = [];
  #largeBytes = 0;
  #largeLeft = 0;

  begin(settings: ServerSettings): void {
    this.at = 0;
    this.badAt = 0;
    this.limit = settings.clientHeaderBufferBytes;
    this.#largeBytes = settings.largeHeaderBuffers.bytes;
    this.#largeLeft = settings.largeHeaderBuffers.count;
    this.allowsUnderscores = settings.underscoresInHeaders;
    this.dropsOddNames = settings.ignoreInvalidHeaders;
    if (this.dropped.length > 0) this.dropped.length = 0;
  }

  override fits(start: number, end: number): boolean {
    while (end > this.limit) {
      if (this.limit - start >= this.#largeBytes || this.#largeLeft === 0) return false;
      this.#largeLeft--;
      this.limit = start + this.#largeBytes;
    }
    return true;
  }

  override onDropped(bytes: Buffer, start: number, end: number): void {
    if (this.dropped.length < MAX_DROPPED) this.dropped.push(bytes.toString('latin1', start, end));
  }

  /** What of a line from `start` lies in the buffer that it was too long for. */
  overlong(bytes: Buffer, start: number): string {
    return bytes.toString('latin1', start, Math.min(this.limit, start + MAX_LOGGED_BYTES));
  }
}
