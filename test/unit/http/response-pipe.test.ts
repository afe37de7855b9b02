import { existsSync, readdirSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type PipeSettings, ResponsePipe } from '../../../src/http/response-pipe.ts';
import { SlowClientStream } from '../../support/slow-client-stream.ts';
import { tempFolder } from '../../support/temp-folder.ts';

let directory = '';
beforeEach(() => {
  directory = tempFolder('pipe');
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true, force: true });
});

/** A peer whose read buffer is used again for the next chunk unless it was paused or taken over. */
class Peer {
  isPaused = false;
  canDetach = true;
  detached = 0;
  #buffer = Buffer.alloc(64);
  #next: string[] = [];
  onData: (chunk: Buffer) => void = () => undefined;

  pauseResponse(): void {
    this.isPaused = true;
  }

  resumeResponse(): void {
    this.isPaused = false;
    while (!this.isPaused && this.#next.length > 0) this.#deliver(this.#next.shift() as string);
  }

  detachResponse(): boolean {
    if (!this.canDetach) return false;
    this.detached++;
    this.#buffer = Buffer.alloc(64);
    return true;
  }

  send(...texts: string[]): void {
    for (const text of texts) {
      if (this.isPaused) this.#next.push(text);
      else this.#deliver(text);
    }
  }

  get held(): number {
    return this.#next.length;
  }

  #deliver(text: string): void {
    this.#buffer.fill(0x21);
    this.#buffer.write(text, 'latin1');
    this.onData(this.#buffer.subarray(0, text.length));
    if (!this.isPaused) this.#buffer.fill(0x21);
  }
}

function open(
  stream: SlowClientStream,
  settings: Partial<PipeSettings> = {},
  range: { start: number; end: number } | null = null,
) {
  const clock = { now: 1000 };
  const seen = { done: 0, files: [] as string[], errors: [] as unknown[] };
  const pipe = new ResponsePipe(
    {
      onPipeDone: () => {
        seen.done++;
        stream.endBody();
      },
      onPipeTempFile: (name) => seen.files.push(name),
      onPipeError: (error) => seen.errors.push(error),
    },
    () => clock.now,
  );
  const peer = new Peer();
  peer.onData = (chunk) => pipe.onData(chunk);
  stream.onWritable = () => pipe.onWritable();
  const defaults = {
    isBuffered: true,
    memoryBytes: 20,
    maxTempFileBytes: 1000,
    tempPath: { directory, levels: [] },
    limitRateBytes: 0,
    limitRateAfterBytes: 0,
    readRateBytes: 0,
  };
  pipe.begin(stream, peer, { ...defaults, ...settings }, range);
  return { pipe, peer, seen, clock };
}

describe('a fast client', () => {
  test('gets every chunk at once, and nothing is kept', () => {
    const stream = new SlowClientStream();
    const { pipe, peer, seen } = open(stream);
    peer.send('one ', 'two ', 'three');
    pipe.onEnd();
    expect(stream.body).toBe('one two three');
    expect(peer.detached).toBe(0);
    expect(seen).toEqual({ done: 1, files: [], errors: [] });
    expect(pipe.receivedBytes).toBe(13);
  });
});

describe('a slow client, buffered', () => {
  test('does not hold the peer: the chunk’s buffer is taken over, then memory, then a file', () => {
    const stream = new SlowClientStream(3);
    const { pipe, peer, seen } = open(stream);
    peer.send('0123456789', 'abcdefghij', 'ABCDEFGHIJ', 'klmnopqrst', 'KLMNOPQRST');
    expect(peer.isPaused).toBe(false);
    expect(peer.detached).toBe(1);
    pipe.onEnd();
    expect(seen.done).toBe(0);
    expect(seen.files).toHaveLength(1);
    stream.take();
    expect(stream.body).toBe('0123456789abcdefghijABCDEFGHIJklmnopqrstKLMNOPQRST');
    expect(seen.done).toBe(1);
  });

  test('the temporary file has no name from the start', () => {
    const stream = new SlowClientStream(0);
    const { peer, seen } = open(stream, { memoryBytes: 5 });
    peer.send('0123456789', 'abcdefghij');
    expect(seen.files[0]?.startsWith(directory)).toBe(true);
    expect(existsSync(seen.files[0] ?? '')).toBe(false);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('a full file pauses the peer until the client has caught up', () => {
    const stream = new SlowClientStream(0);
    const { pipe, peer } = open(stream, { memoryBytes: 10, maxTempFileBytes: 20 });
    peer.send('0123456789', 'abcdefghij', 'ABCDEFGHIJ', 'klmnopqrst', 'KLMNOPQRST');
    expect(peer.isPaused).toBe(true);
    expect(peer.held).toBe(1);
    stream.take();
    expect(peer.isPaused).toBe(false);
    pipe.onEnd();
    expect(stream.body).toBe('0123456789abcdefghijABCDEFGHIJklmnopqrstKLMNOPQRST');
  });

  test('without a file the peer is paused when memory is full', () => {
    const stream = new SlowClientStream(0);
    const { peer, seen } = open(stream, { memoryBytes: 10, maxTempFileBytes: 0 });
    peer.send('0123456789', 'abcdefghij', 'ABCDEFGHIJ');
    expect(peer.isPaused).toBe(true);
    expect(peer.held).toBe(1);
    stream.take(10);
    expect(peer.held).toBe(0);
    stream.take();
    expect(stream.body).toBe('0123456789abcdefghijABCDEFGHIJ');
    expect(seen.files).toEqual([]);
  });

  test('a peer whose buffer cannot be taken over is paused', () => {
    const stream = new SlowClientStream(3);
    const { pipe, peer } = open(stream);
    peer.canDetach = false;
    peer.send('0123456789', 'abc');
    expect(peer.isPaused).toBe(true);
    stream.take();
    pipe.onEnd();
    expect(stream.body).toBe('0123456789abc');
  });

  test('after it has caught up, chunks go straight through again', () => {
    const stream = new SlowClientStream(3);
    const { peer } = open(stream);
    peer.send('0123456789', 'abcdefghij');
    stream.take();
    peer.send('again');
    expect(stream.body).toBe('0123456789abcdefghijagain');
    expect(peer.detached).toBe(1);
  });

  test('a disk that fails ends the pipe', () => {
    const stream = new SlowClientStream(0);
    const { peer, seen } = open(stream, { memoryBytes: 5, tempPath: { directory: '/dev/null/x', levels: [] } });
    peer.send('0123456789', 'abcdefghij');
    expect(seen.errors).toHaveLength(1);
  });
});

describe('a slow client, unbuffered', () => {
  test('the peer waits, chunk by chunk', () => {
    const stream = new SlowClientStream(3);
    const { pipe, peer, seen } = open(stream, { isBuffered: false });
    peer.send('0123456789', 'abcdefghij');
    expect(peer.isPaused).toBe(true);
    expect(peer.held).toBe(1);
    stream.take();
    pipe.onEnd();
    expect(stream.body).toBe('0123456789abcdefghij');
    expect(peer.detached).toBe(0);
    expect(seen.files).toEqual([]);
  });
});

describe('limit_rate', () => {
  for (const isBuffered of [true, false]) {
    test(`so many bytes in each second that has begun, ${isBuffered ? 'buffered' : 'unbuffered'}`, () => {
      vi.useFakeTimers();
      const stream = new SlowClientStream();
      const { pipe, peer, clock } = open(stream, { isBuffered, limitRateBytes: 4 });
      peer.send('0123456789');
      expect(stream.body).toBe('0123');
      clock.now += 1001;
      vi.advanceTimersByTime(1001);
      expect(stream.body).toBe('01234567');
      clock.now += 1001;
      vi.advanceTimersByTime(1001);
      pipe.onEnd();
      expect(stream.body).toBe('0123456789');
      expect(stream.end).toBe('ended');
    });
  }

  test('counts only what goes beyond limit_rate_after', () => {
    vi.useFakeTimers();
    const stream = new SlowClientStream();
    const { peer } = open(stream, { limitRateBytes: 2, limitRateAfterBytes: 5 });
    peer.send('0123456789');
    expect(stream.body).toBe('0123456');
  });

  test('an end that comes early waits for the bytes', () => {
    vi.useFakeTimers();
    const stream = new SlowClientStream();
    const { pipe, peer, clock } = open(stream, { limitRateBytes: 5 });
    peer.send('0123456789');
    pipe.onEnd();
    expect(stream.end).toBe('open');
    clock.now += 1001;
    vi.advanceTimersByTime(1001);
    expect(stream.body).toBe('0123456789');
    expect(stream.end).toBe('ended');
  });

  test('closing stops the clock', () => {
    vi.useFakeTimers();
    const stream = new SlowClientStream();
    const { pipe, peer } = open(stream, { limitRateBytes: 5 });
    peer.send('0123456789');
    pipe.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('proxy_limit_rate', () => {
  test('pauses the peer, not the client', () => {
    vi.useFakeTimers();
    const stream = new SlowClientStream();
    const { peer, clock } = open(stream, { readRateBytes: 10 });
    peer.send('0123456789', 'abcdefghij');
    expect(stream.body).toBe('0123456789');
    expect(peer.isPaused).toBe(true);
    clock.now += 1001;
    vi.advanceTimersByTime(1001);
    expect(stream.body).toBe('0123456789abcdefghij');
  });
});

describe('a range', () => {
  for (const [start, end] of [
    [0, 0],
    [2, 4],
    [3, 8],
    [5, 14],
    [9, 10],
    [14, 14],
  ] as const) {
    test(`${start}-${end} of three chunks`, () => {
      const stream = new SlowClientStream();
      const { pipe, peer } = open(stream, {}, { start, end });
      peer.send('01234', '56789', 'abcde');
      pipe.onEnd();
      expect(stream.body).toBe('0123456789abcde'.slice(start, end + 1));
      expect(pipe.receivedBytes).toBe(15);
    });
  }
});
