import { brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { addBodyFilter } from '../../../../src/http/body-filter.ts';
import { Exchange } from '../../../../src/http/exchange.ts';
import { Location } from '../../../../src/http/location.ts';
import { sendResponseHead } from '../../../../src/http/send-response.ts';
import { brotliCodec, type Codec, GUNZIP, gzipCodec } from '../../../../src/modules/compression/codec.ts';
import type { CodedSizes } from '../../../../src/modules/compression/coded-sizes.ts';
import { HandleFilter } from '../../../../src/modules/compression/handle-filter.ts';
import { StreamFilter } from '../../../../src/modules/compression/stream-filter.ts';
import { areHandlesUsable } from '../../../../src/modules/compression/zlib-handle.ts';
import { compileGroup } from '../../../support/compile-text.ts';
import { fakeExchange } from '../../../support/fake-client-stream.ts';
import { SlowClientStream } from '../../../support/slow-client-stream.ts';

const group = compileGroup('server { listen 8080; }');
const GZIP = gzipCodec({ level: 1, windowBits: 15, memLevel: 8 });
const BROTLI = brotliCodec(4, 19);
const TEXT = Array.from({ length: 20_000 }, (_, i) => `line ${i * 7919}`).join('\n');

type Filter = typeof HandleFilter | typeof StreamFilter;
const FILTERS: readonly (readonly [string, Filter])[] = [
  ['in this thread', HandleFilter],
  ['in another thread', StreamFilter],
];

/** A response whose body goes through the codec to a client with so much room; `fill` sends as its contract says. */
function begin(Kind: Filter, codec: Codec, roomBytes = Number.POSITIVE_INFINITY) {
  const stream = new SlowClientStream(roomBytes);
  const { ex: other } = fakeExchange({}, group);
  const ex = new Exchange(other.connection, stream, group.defaultServer);
  stream.serve(ex);
  ex.response.status = 200;
  const sizes: CodedSizes = { in: 0, out: 0, isWhole: false };
  const { core, errorLog } = group.defaultServer.defaultLocation;
  ex.location = new Location('/', core, { ...errorLog, write: () => undefined });
  ex.location.headerFilters.push(() => addBodyFilter(ex, (link) => new Kind(link, codec, sizes)));
  sendResponseHead(ex);
  let isReady = true;
  ex.content = {
    onWritable: () => {
      isReady = true;
    },
    onClientAborted: () => {
      ex.content = null;
      ex.stream.abort();
    },
  };
  /** The same buffer again and again, overwritten as soon as that is allowed. */
  const buffer = Buffer.alloc(64 * 1024);
  const send = async (bytes: Buffer, stepBytes: number, onBlocked = (): void => undefined): Promise<void> => {
    for (let at = 0; at < bytes.length; at += stepBytes) {
      buffer.fill(0x21);
      const length = bytes.copy(buffer, 0, at, at + stepBytes);
      isReady = ex.stream.sendBody(buffer.subarray(0, length));
      while (!isReady) {
        onBlocked();
        await new Promise(setImmediate);
        if (stream.end !== 'open') return;
      }
    }
  };
  const ended = (): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (stream.end === 'open') setImmediate(look);
        else resolve();
      };
      look();
    });
  return { ex, stream, sizes, send, ended, bytes: () => Buffer.from(stream.body, 'latin1') };
}

describe.each(FILTERS)('coded %s', (_, Kind) => {
  test.each([
    ['gzip', GZIP, gunzipSync],
    ['brotli', BROTLI, brotliDecompressSync],
  ] as const)('%s: whatever the pieces, the same comes out', async (_name, codec, decode) => {
    for (const step of [1, 1000, 65_536]) {
      const text = Buffer.from(step === 1 ? TEXT.slice(0, 500) : TEXT);
      const { ex, sizes, send, ended, bytes } = begin(Kind, codec);
      await send(text, step);
      ex.stream.endBody(null);
      await ended();
      expect(decode(bytes()).equals(text)).toBe(true);
      expect(sizes).toEqual({ in: text.length, out: bytes().length, isWhole: true });
    }
  });

  test('nothing comes out of nothing but a whole empty body', async () => {
    for (const codec of [GZIP, BROTLI, GUNZIP]) {
      const { ex, stream, ended, bytes } = begin(Kind, codec);
      ex.stream.endBody(null);
      await ended();
      expect(stream.end).toBe('ended');
      if (codec === GZIP) expect(gunzipSync(bytes())).toHaveLength(0);
      if (codec === BROTLI) expect(brotliDecompressSync(bytes())).toHaveLength(0);
    }
  });

  test('what came before a flush can be read after it', async () => {
    const { ex, stream, send, ended, bytes } = begin(Kind, GZIP);
    const seen = async (text: string): Promise<void> => {
      const isThere = (): boolean => gunzipSync(bytes(), { finishFlush: constants.Z_SYNC_FLUSH }).toString() === text;
      while (stream.body === '' || !isThere()) await new Promise(setImmediate);
    };
    await send(Buffer.from('one '), 10);
    ex.stream.flush();
    await seen('one ');
    await send(Buffer.from('two'), 10);
    ex.stream.flush();
    await seen('one two');
    const { length } = stream.body;
    ex.stream.flush();
    await new Promise(setImmediate);
    expect(stream.body).toHaveLength(length);
    ex.stream.endBody(null);
    await ended();
    expect(gunzipSync(bytes()).toString()).toBe('one two');
  });

  test('a slow client gets every byte', async () => {
    const { ex, stream, send, ended, bytes } = begin(Kind, GZIP, 1000);
    await send(Buffer.from(TEXT), 30_000, () => stream.take(3000));
    ex.stream.endBody(null);
    while (stream.end === 'open') {
      stream.take(3000);
      await new Promise(setImmediate);
    }
    stream.take();
    await ended();
    expect(gunzipSync(bytes()).toString()).toBe(TEXT);
  });

  test('what swells is made only as fast as it is taken', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const { ex, stream, send, sizes } = begin(Kind, GUNZIP, 1000);
    let most = 0;
    let turns = 0;
    const look = (): void => {
      most = Math.max(most, stream.pendingBytes);
      turns++;
      if (turns > 20 && turns < 30) stream.take(100_000);
      // Nobody waits for fifty megabytes: it is seen that they don't come by themselves.
      if (turns === 50) ex.content?.onClientAborted();
    };
    await send(bomb, 10_000, look);
    while (stream.end === 'open') {
      look();
      await new Promise(setImmediate);
    }
    expect(sizes.out).toBeLessThan(2_000_000);
    expect(most).toBeLessThan(200_000);
    expect(stream.end).toBe('aborted');
  });

  test('a client that leaves frees it, and late results go nowhere', async () => {
    const { ex, stream, send } = begin(Kind, GZIP);
    await send(Buffer.from(TEXT), 65_536);
    ex.content?.onClientAborted();
    const { body } = stream;
    for (let i = 0; i < 10; i++) await new Promise(setImmediate);
    expect(stream.body).toBe(body);
    expect(ex.stream).toBe(stream);
  });

  test('what is no gzip ends the response', async () => {
    for (const bytes of [Buffer.from('this is no gzip'), gzipSync(TEXT).subarray(0, 1000)]) {
      const { ex, stream, send, sizes, ended } = begin(Kind, GUNZIP);
      const filtered = ex.stream;
      await send(bytes, 65_536);
      filtered.endBody(null);
      await ended();
      expect(stream.end).toBe('aborted');
      expect(sizes.isWhole).toBe(false);
    }
  });

  test('several members are one body', async () => {
    const { ex, send, ended, bytes } = begin(Kind, GUNZIP);
    await send(Buffer.concat([gzipSync('one '), gzipSync('two')]), 10);
    ex.stream.endBody(null);
    await ended();
    expect(bytes().toString()).toBe('one two');
  });
});

test('the quick way is there in this Node', () => {
  expect(areHandlesUsable()).toBe(true);
});

test('others have their turn while a large body is coded in this thread', async () => {
  const { ex, sizes, ended } = begin(HandleFilter, GZIP);
  const large = Buffer.from(TEXT.repeat(10));
  expect(ex.stream.sendBody(large)).toBe(false);
  ex.stream.endBody(null);
  expect(sizes.in).toBeLessThan(200_000);
  await ended();
  expect(sizes.in).toBe(large.length);
});
