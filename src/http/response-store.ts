import { TempFile, type TempPath } from './temp-file.ts';

const BLOCK_BYTES = 16_384;
const READ_BYTES = 65_536;

/** How much of a response may wait here. */
export interface StoreLimits {
  /** Memory (`proxy_buffers`). */
  readonly memoryBytes: number;
  /** Disk (`proxy_max_temp_file_size`); 0 = none. */
  readonly maxTempFileBytes: number;
  readonly tempPath: TempPath;
}

/**
 * What a response's client has not taken yet: memory first, then a temporary file; first in, first out.
 * While the file holds anything, all that comes goes to the file; drained, it is rewound and memory is used again.
 * May hold one chunk more than its limits: whoever fills it stops when `isFull`.
 *
 * Pieces handed out stay unchanged until the next call of `take` (those from memory for ever).
 */
export class ResponseStore {
  #limits: StoreLimits;
  #blocks: Buffer[] = [];
  #firstTaken = 0;
  #lastFilled = 0;
  #memoryBytes = 0;
  #file: TempFile | null = null;
  #fileTaken = 0;
  #readBuffer: Buffer | null = null;

  constructor(limits: StoreLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#memoryBytes === 0 && !this.#isFileActive;
  }

  get isFull(): boolean {
    const { memoryBytes, maxTempFileBytes } = this.#limits;
    if (maxTempFileBytes === 0) return this.#memoryBytes >= memoryBytes;
    return this.#file !== null && this.#file.sizeBytes >= maxTempFileBytes;
  }

  /** Whether filling may go on after it was full. */
  get hasRoom(): boolean {
    if (this.#limits.maxTempFileBytes === 0) return this.#memoryBytes * 2 <= this.#limits.memoryBytes;
    return !this.#isFileActive;
  }

  /** Name of the temporary file; null while none was needed. */
  get tempFileName(): string | null {
    return this.#file === null ? null : this.#file.name;
  }

  /** Copies `chunk`. Throws the system's error when the disk fails. */
  put(chunk: Uint8Array): void {
    const fits = this.#memoryBytes + chunk.length <= this.#limits.memoryBytes;
    if (this.#limits.maxTempFileBytes > 0 && (this.#isFileActive || !fits)) {
      this.#file ??= TempFile.open(this.#limits.tempPath);
      this.#file.append(chunk);
    } else {
      this.#putInMemory(chunk);
    }
  }

  /** The next bytes, at most `maxBytes` of them; null when it is empty. */
  take(maxBytes: number): Uint8Array | null {
    if (this.#memoryBytes > 0) return this.#takeFromMemory(maxBytes);
    const file = this.#file;
    if (file === null || !this.#isFileActive) return null;
    this.#readBuffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
    const into = maxBytes < READ_BYTES ? this.#readBuffer.subarray(0, maxBytes) : this.#readBuffer;
    const count = file.readAt(this.#fileTaken, into);
    if (count === 0) throw new Error(`temporary file ${file.name} ended early`);
    this.#fileTaken += count;
    if (this.#fileTaken === file.sizeBytes) {
      file.rewind();
      this.#fileTaken = 0;
    }
    return into.subarray(0, count);
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
    this.#fileTaken = 0;
    this.#blocks = [];
    this.#memoryBytes = 0;
  }

  get #isFileActive(): boolean {
    return this.#file !== null && this.#fileTaken < this.#file.sizeBytes;
  }

  #putInMemory(chunk: Uint8Array): void {
    const last = this.#blocks.at(-1);
    let at = 0;
    if (last !== undefined && this.#lastFilled < last.length) {
      at = Math.min(chunk.length, last.length - this.#lastFilled);
      last.set(chunk.subarray(0, at), this.#lastFilled);
      this.#lastFilled += at;
    }
    if (at < chunk.length) {
      const block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, chunk.length - at));
      block.set(chunk.subarray(at), 0);
      this.#blocks.push(block);
      this.#lastFilled = chunk.length - at;
    }
    this.#memoryBytes += chunk.length;
  }

  #takeFromMemory(maxBytes: number): Uint8Array {
    const block = this.#blocks[0] as Buffer;
    const filled = this.#blocks.length === 1 ? this.#lastFilled : block.length;
    const start = this.#firstTaken;
    const end = Math.min(filled, start + maxBytes);
    this.#memoryBytes -= end - start;
    this.#firstTaken = end;
    if (end === filled && (this.#blocks.length > 1 || this.#memoryBytes === 0)) {
      // A block that is still being filled is given up too: what was handed out of it may be on its way.
      this.#blocks.shift();
      this.#firstTaken = 0;
    }
    return block.subarray(start, end);
  }
}
