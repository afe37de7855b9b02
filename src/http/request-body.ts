import type { ProxyError } from '../core/errors.ts';
import type { BodySink, ClientStream } from './client-stream.ts';
import type { HeaderBlock } from './header-block.ts';
import { TempFile, type TempFileLife, type TempPath } from './temp-file.ts';

const READ_BYTES = 65_536;
const FIRST_BLOCK_BYTES = 4096;

const FILE_LIFE = { off: 'unlinked', on: 'kept', clean: 'until-closed' } as const satisfies Record<
  string,
  TempFileLife
>;

export interface BodySettings {
  /** `client_body_buffer_size`: a larger body goes to a temporary file. */
  readonly bufferBytes: number;
  /** `client_max_body_size`; 0 = no limit. The stream enforces it. */
  readonly maxBytes: number;
  /** `client_body_temp_path`. */
  readonly tempPath: TempPath;
  /** `client_body_in_file_only`: every body goes to a file; 'on' leaves the file on the disk, 'clean' does not. */
  readonly inFileOnly: 'off' | 'on' | 'clean';
}

/** What `$request_body` and `$request_body_file` say of a body. */
export interface KeptBody {
  /** As a byte string; null when it is not in memory. */
  readonly text: string | null;
  /** '' when it is in no file. */
  readonly fileName: string;
}

/** A body that is here as a whole and is sent from its beginning to its end, once or again. */
export interface WholeBody {
  readonly sizeBytes: number;
  /** The next bytes to send; null at the end. They stay unchanged until the next call. */
  next(): Uint8Array | null;
  /** Whether `next` has given everything. */
  readonly isSent: boolean;
  /** Begins anew. */
  rewind(): void;
}

export interface BodyOwner {
  /** The whole body is here. */
  onBodyReady(): void;
  /** A temporary file was begun, as the body is larger than the buffer. */
  onBodyTempFile(name: string): void;
  /** Malformed, over the limit, timeout, the client went away, or the disk failed. What was read is gone. */
  onBodyFailed(error: ProxyError | Error): void;
}

/**
 * A request's body, read whole before anything is sent to a peer, so that it can be sent again.
 * In memory up to `bufferBytes`, beyond that wholly in an unlinked temporary file. Reused from request to request: `close()` ends it.
 */
export class RequestBody implements BodySink, KeptBody, WholeBody {
  readonly #owner: BodyOwner;
  #settings: BodySettings | null = null;
  #stream: ClientStream | null = null;
  #memory: Buffer | null = null;
  #file: TempFile | null = null;
  readonly #reader = new BodyReader(this);
  /** Bytes read so far; all of them once `onBodyReady` ran. */
  sizeBytes = 0;

  constructor(owner: BodyOwner) {
    this.#owner = owner;
  }

  /** Begins reading; `onBodyReady` or `onBodyFailed` follows, perhaps before this returns. `lengthBytes`: -1 = not known. */
  read(stream: ClientStream, settings: BodySettings, lengthBytes: number): void {
    this.#settings = settings;
    this.#stream = stream;
    this.sizeBytes = 0;
    this.#reader.rewind();
    try {
      if (settings.inFileOnly !== 'off' || lengthBytes > settings.bufferBytes) this.#openFile(settings);
      else if (lengthBytes > 0) this.#memory = Buffer.allocUnsafe(lengthBytes);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    stream.readBody(this, settings.maxBytes);
  }

  /** The body as a byte string when it is in memory; null when it went to a file. `$request_body`. */
  get text(): string | null {
    return this.#memory === null ? null : this.#memory.toString('latin1', 0, this.sizeBytes);
  }

  /** `$request_body_file`; '' when it is in memory. */
  get fileName(): string {
    return this.#file === null ? '' : this.#file.name;
  }

  next(): Uint8Array | null {
    return this.#reader.next();
  }

  get isSent(): boolean {
    return this.#reader.isSent;
  }

  rewind(): void {
    this.#reader.rewind();
  }

  /** One more way to read it, for who sends it besides others. Good until `close()`. */
  reader(): BodyReader {
    return new BodyReader(this);
  }

  /** Bytes from `at` on: all of them, or of a file as many as there is room for in `room`. */
  bytesAt(at: number, room: () => Buffer): Uint8Array {
    if (this.#file === null) return (this.#memory as Buffer).subarray(at, this.sizeBytes);
    const into = room();
    const count = this.#file.readAt(at, into);
    if (count === 0) throw new Error(`temporary file ${this.#file.name} ended early`);
    return into.subarray(0, count);
  }

  close(): void {
    this.#stream = null;
    this.#settings = null;
    this.#memory = null;
    this.#reader.drop();
    this.#file?.close();
    this.#file = null;
    this.sizeBytes = 0;
  }

  onBodyData(chunk: Buffer): void {
    const settings = this.#settings;
    if (settings === null) return;
    try {
      if (this.#file !== null) this.#file.append(chunk);
      else this.#keep(chunk, settings);
      this.sizeBytes += chunk.length;
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  // Trailers of a request are not passed on, as in nginx.
  onBodyEnd(_trailers: HeaderBlock | null): void {
    if (this.#settings === null) return;
    this.#stream = null;
    this.#owner.onBodyReady();
  }

  onBodyError(error: ProxyError): void {
    if (this.#settings !== null) this.#fail(error);
  }

  #keep(chunk: Buffer, settings: BodySettings): void {
    const needed = this.sizeBytes + chunk.length;
    if (needed > settings.bufferBytes) {
      const held = this.#memory;
      const file = this.#openFile(settings);
      if (held !== null) file.append(held.subarray(0, this.sizeBytes));
      file.append(chunk);
      this.#memory = null;
      return;
    }
    if (this.#memory === null || this.#memory.length < needed) this.#grow(needed, settings.bufferBytes);
    chunk.copy(this.#memory as Buffer, this.sizeBytes);
  }

  #grow(needed: number, mostBytes: number): void {
    const old = this.#memory;
    const doubled = Math.min(mostBytes, Math.max(FIRST_BLOCK_BYTES, 2 * (old?.length ?? 0)));
    this.#memory = Buffer.allocUnsafeSlow(Math.max(needed, doubled));
    old?.copy(this.#memory, 0, 0, this.sizeBytes);
  }

  #openFile(settings: BodySettings): TempFile {
    this.#file = TempFile.open(settings.tempPath, FILE_LIFE[settings.inFileOnly]);
    // Where every body goes to a file that is no news.
    if (settings.inFileOnly === 'off') this.#owner.onBodyTempFile(this.#file.name);
    return this.#file;
  }

  #fail(error: ProxyError | Error): void {
    this.#stream?.pauseBody();
    this.close();
    this.#owner.onBodyFailed(error);
  }
}

/** Reads a body that is here as a whole. */
export class BodyReader implements WholeBody {
  readonly #body: RequestBody;
  #buffer: Buffer | null = null;
  #sentBytes = 0;

  constructor(body: RequestBody) {
    this.#body = body;
  }

  get sizeBytes(): number {
    return this.#body.sizeBytes;
  }

  next(): Uint8Array | null {
    if (this.isSent) return null;
    const bytes = this.#body.bytesAt(this.#sentBytes, () => this.#room());
    this.#sentBytes += bytes.length;
    return bytes;
  }

  get isSent(): boolean {
    return this.#sentBytes >= this.#body.sizeBytes;
  }

  rewind(): void {
    this.#sentBytes = 0;
  }

  /** Lets go of its buffer. */
  drop(): void {
    this.#buffer = null;
    this.#sentBytes = 0;
  }

  #room(): Buffer {
    this.#buffer ??= Buffer.allocUnsafeSlow(Math.min(READ_BYTES, this.#body.sizeBytes));
    return this.#buffer;
  }
}
