import { HeaderBlock } from './header-block.ts';
import type { BodyFraming } from './request-head.ts';

const FIRST_STORAGE_BYTES = 4096;

/**
 * A peer's response head. It owns its bytes (`storage`), so it stays readable after the connection went back to its pool;
 * it belongs to whoever made the request, and is reused from attempt to attempt.
 */
export class UpstreamResponseHead {
  status = 0;
  /** 10 or 11. */
  version = 11;
  /** `200 OK`: from the status code to the line's end. */
  statusLine = '';
  readonly headers = new HeaderBlock();
  framing: BodyFraming = 'none';
  /** -1 unless framing is 'length'. */
  contentLength = -1;
  /** Peer's side of persistence: version and Connection field. */
  keepAlive = false;
  /** Bytes of the head on the wire. */
  headBytes = 0;
  storage: Buffer = Buffer.allocUnsafeSlow(FIRST_STORAGE_BYTES);
  /** Bytes of `storage` filled so far. */
  stored = 0;

  reset(): void {
    this.status = 0;
    this.version = 11;
    this.statusLine = '';
    this.headers.reset();
    this.framing = 'none';
    this.contentLength = -1;
    this.keepAlive = false;
    this.headBytes = 0;
    this.stored = 0;
  }

  /** Makes room for `bytes` in all, keeping what is stored. */
  reserve(bytes: number): void {
    if (this.storage.length >= bytes) return;
    const larger = Buffer.allocUnsafeSlow(bytes);
    this.storage.copy(larger, 0, 0, this.stored);
    this.storage = larger;
  }
}
