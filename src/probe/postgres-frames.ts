/** Longest message taken; the largest that a probe asks for is far below. */
const MAX_MESSAGE_BYTES = 1 << 20;
/** Type and length. */
const HEAD_BYTES = 5;

/** What a server may say to somebody who logs in and sends plain queries: authentication, status, key, ready, error, notice, rows, done, notification. */
const TYPES = new Set([...'RSKZENTDCIA'].map((type) => type.charCodeAt(0)));
const ERROR = 'E'.charCodeAt(0);
const NOTICE = 'N'.charCodeAt(0);

/**
 * Lets whole, plausible messages of PostgreSQL's protocol through and nothing else. pg's parser believes whoever answers: bytes of another
 * protocol make it throw out of a socket's event, wait for ever, or, with an error message that has no end, never return.
 */
export class PostgresFrames {
  #rest: Buffer = Buffer.alloc(0);

  /** The messages that are whole by now, as they came; null: this is no PostgreSQL. */
  take(chunk: Buffer): Buffer | null {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at < bytes.length) {
      if (!TYPES.has(bytes[at] ?? 0)) return null;
      if (at + HEAD_BYTES > bytes.length) break;
      // Its own four bytes count.
      const end = at + 1 + bytes.readUInt32BE(at + 1);
      if (end < at + HEAD_BYTES || end - at > MAX_MESSAGE_BYTES) return null;
      if (end > bytes.length) break;
      if (!isWellFormed(bytes, at, end)) return null;
      at = end;
    }
    // A copy: the socket's own buffer is used again.
    this.#rest = Buffer.from(bytes.subarray(at));
    return bytes.subarray(0, at);
  }
}

/** Errors and notices are `letter text NUL`, again and again, then NUL. */
function isWellFormed(bytes: Buffer, start: number, end: number): boolean {
  const type = bytes[start];
  if (type !== ERROR && type !== NOTICE) return true;
  let at = start + HEAD_BYTES;
  while (at < end && bytes[at] !== 0) {
    const nul = bytes.indexOf(0, at + 1);
    if (nul < 0 || nul >= end) return false;
    at = nul + 1;
  }
  return at === end - 1;
}
