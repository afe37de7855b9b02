/** As large as a read of libuv gets. */
const READ_BUFFER_BYTES = 65_536;

/** What a socket reads into. */
export interface ReadBuffer {
  readonly current: Buffer;
  /** Asked after each read: what to read into next. Undefined: the same. */
  replacement(): Buffer | undefined;
  /** `current` becomes the caller's and is never read into again. False: it can't. */
  detach(): boolean;
}

/** Every client socket of this process reads into it: whoever is called with it uses it up (or copies) before returning. */
export const SHARED_READ_BUFFER: ReadBuffer = {
  current: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
  replacement: () => undefined,
  detach: () => false,
};

const NOTHING = Buffer.alloc(0);

/** The buffer that one connection reads into, and its replacement when somebody takes it over. The first one is made when it is asked for. */
export class OwnReadBuffer implements ReadBuffer {
  current: Buffer = NOTHING;
  #isTaken = true;

  replacement(): Buffer | undefined {
    if (!this.#isTaken) return undefined;
    this.#isTaken = false;
    this.current = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
    return this.current;
  }

  detach(): boolean {
    this.#isTaken = true;
    return true;
  }
}
