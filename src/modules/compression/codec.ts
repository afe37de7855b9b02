import zlib from 'node:zlib';

const { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH } = zlib.constants;
const { BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH, BROTLI_OPERATION_FINISH } = zlib.constants;

/** A stream of node:zlib. */
export type ZlibStream = zlib.Gzip | zlib.Gunzip | zlib.BrotliCompress;

/** One way to make other bytes of bytes, with its settings; shared by all responses of a location. */
export interface Codec {
  /** Codecs with the same key make the same streams. */
  readonly key: string;
  readonly create: () => ZlibStream;
  readonly process: number;
  readonly flush: number;
  readonly finish: number;
  /** A stream may serve one response after the other: `reset` makes it as new. */
  readonly isReusable: boolean;
  /** What zlib's function is called, for the log. */
  readonly work: 'deflate' | 'inflate' | 'brotli';
  /** Of nothing it makes nothing. */
  readonly isDecoder: boolean;
  /** Bodies from this size on, and those of unknown size, take so long that other clients would feel it: they are done in libuv's threads. */
  readonly slowFromBytes: number;
}

/** Settings of gzip (`gzip_comp_level`, `gzip_window`, `gzip_hash`). */
export interface GzipSettings {
  /** 1 to 9. */
  readonly level: number;
  /** Logarithm of the window's bytes, 9 to 15. */
  readonly windowBits: number;
  /** 1 to 9. */
  readonly memLevel: number;
}

/** From here on 64 KiB of text take more than two milliseconds. */
const SLOW_GZIP_LEVEL = 8;
const SLOW_GZIP_BYTES = 16 * 1024;

export function gzipCodec(settings: GzipSettings): Codec {
  const { level, windowBits, memLevel } = settings;
  return {
    key: `gzip ${level} ${windowBits} ${memLevel}`,
    create: () => zlib.createGzip(settings),
    process: Z_NO_FLUSH,
    flush: Z_SYNC_FLUSH,
    finish: Z_FINISH,
    isReusable: true,
    work: 'deflate',
    isDecoder: false,
    slowFromBytes: level >= SLOW_GZIP_LEVEL ? SLOW_GZIP_BYTES : Number.POSITIVE_INFINITY,
  };
}

export const GUNZIP: Codec = {
  key: 'gunzip',
  create: () => zlib.createGunzip(),
  process: Z_NO_FLUSH,
  flush: Z_SYNC_FLUSH,
  finish: Z_FINISH,
  isReusable: true,
  work: 'inflate',
  isDecoder: true,
  slowFromBytes: Number.POSITIVE_INFINITY,
};

/** From here on 16 KiB of text take more than a millisecond; 11: 17. */
const SLOW_BROTLI_QUALITY = 7;

/** `quality`: 0 to 11; `windowBits`: 10 to 24. */
export function brotliCodec(quality: number, windowBits: number): Codec {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN } = zlib.constants;
  const params = { [BROTLI_PARAM_QUALITY]: quality, [BROTLI_PARAM_LGWIN]: windowBits };
  return {
    key: `brotli ${quality} ${windowBits}`,
    create: () => zlib.createBrotliCompress({ params }),
    process: BROTLI_OPERATION_PROCESS,
    flush: BROTLI_OPERATION_FLUSH,
    finish: BROTLI_OPERATION_FINISH,
    // Its `reset` forgets the settings.
    isReusable: false,
    work: 'brotli',
    isDecoder: false,
    slowFromBytes: quality >= SLOW_BROTLI_QUALITY ? 0 : Number.POSITIVE_INFINITY,
  };
}

const { Z_BUF_ERROR } = zlib.constants;

/** What nginx says of a body that can't be coded: zlib's number, and what it was told to do. */
export function codecFailure(codec: Codec, operation: number, errno: number): string {
  return errno === Z_BUF_ERROR && operation === codec.finish
    ? `${codec.work}() returned ${errno} on response end`
    : `${codec.work}() failed: ${operation}, ${errno}`;
}
