import zlib from 'node:zlib';
import { type Codec, gzipCodec, type ZlibStream } from './codec.ts';

/** What the streams of node:zlib do their work with; not documented, therefore looked at before it is used (`areHandlesUsable`). */
interface NativeHandle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputLength: number,
    out: Uint8Array,
    outAt: number,
    outLength: number,
  ): void;
  reset(): void;
  close(): void;
  onerror: (message: string, errno: number) => void;
}

interface OpenedStream {
  readonly _handle: NativeHandle;
  /** What the last write has left: room in the output, bytes of the input. */
  readonly _writeState: Uint32Array;
}

/** Idle streams of one kind that are kept: of gzip each has a quarter of a megabyte. */
const MAX_SPARE = 8;
const spare = new Map<string, ZlibHandle[]>();

/**
 * A stream of node:zlib that works at once, in this thread, and is used again. For a body of 1 KiB that is a tenth of the work of handing it to
 * another thread, for 16 KiB a third.
 */
export class ZlibHandle {
  readonly #codec: Codec;
  /** Kept, for the handle is freed with it. */
  readonly #stream: ZlibStream;
  readonly #handle: NativeHandle;
  readonly #state: Uint32Array;
  /** zlib's number for what the last write complained of; 0. */
  errno = 0;

  private constructor(codec: Codec) {
    this.#codec = codec;
    this.#stream = codec.create();
    // What goes wrong is in `errno`: the stream's own events are not wanted.
    this.#stream.on('error', () => undefined);
    const { _handle, _writeState } = this.#stream as unknown as OpenedStream;
    this.#handle = _handle;
    this.#state = _writeState;
    _handle.onerror = (_, errno) => {
      this.errno = errno;
    };
  }

  static take(codec: Codec): ZlibHandle {
    return (codec.isReusable ? spare.get(codec.key)?.pop() : undefined) ?? new ZlibHandle(codec);
  }

  /** Bytes of the last write's input that it has not looked at, and room that it has left in the output. */
  get inputLeft(): number {
    return this.#state[1] as number;
  }

  get roomLeft(): number {
    return this.#state[0] as number;
  }

  /** Makes of `length` bytes of `input` what there is room for in `out` from `outAt` on. */
  write(operation: number, input: Uint8Array, at: number, length: number, out: Uint8Array, outAt: number): void {
    this.#handle.writeSync(operation, input, at, length, out, outAt, out.length - outAt);
  }

  /** The caller is through with it. */
  giveBack(): void {
    if (this.#codec.isReusable && this.errno === 0) {
      const { key } = this.#codec;
      let idle = spare.get(key);
      if (idle === undefined) spare.set(key, (idle = []));
      if (idle.length < MAX_SPARE) {
        this.#handle.reset();
        idle.push(this);
        return;
      }
    }
    this.#handle.close();
  }
}

let isUsable: boolean | null = null;

/** Whether this Node's streams are what `ZlibHandle` takes them for; tried out once, with both ways of ending. */
export function areHandlesUsable(): boolean {
  isUsable ??= tryOut();
  return isUsable;
}

function tryOut(): boolean {
  const text = Buffer.from('evenkeel '.repeat(1000));
  const out = Buffer.alloc(4096);
  const codec = gzipCodec({ level: 1, windowBits: 15, memLevel: 8 });
  try {
    // The second one is the first again.
    for (let round = 0; round < 2; round++) {
      const handle = ZlibHandle.take(codec);
      handle.write(codec.process, text, 0, text.length, out, 0);
      if (handle.inputLeft !== 0) return false;
      const at = out.length - handle.roomLeft;
      handle.write(codec.finish, text, 0, 0, out, at);
      const end = out.length - handle.roomLeft;
      handle.giveBack();
      if (handle.errno !== 0 || !zlib.gunzipSync(out.subarray(0, end)).equals(text)) return false;
    }
    return true;
  } catch {
    // Another Node: the public way is taken.
    return false;
  }
}
