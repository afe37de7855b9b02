import type { NumAndSize } from '../../config/values.ts';
import type { Pattern } from '../../http/pcre/compile-pattern.ts';
import { HTML_TYPES, type TypeSet } from '../../http/type-set.ts';

/** For which answers to requests that came through a proxy (`Via`) gzip is used, as bits. */
export const PROXIED = {
  off: 1,
  expired: 2,
  'no-cache': 4,
  'no-store': 8,
  private: 16,
  no_last_modified: 32,
  no_etag: 64,
  auth: 128,
  any: 256,
} as const;

export interface GzipConf {
  gzip: boolean;
  types: TypeSet;
  /** Shorter bodies stay as they are, where the length is known. */
  minLengthBytes: number;
  /** 1 to 9. */
  level: number;
  windowBits: number;
  memLevel: number;
  buffers: NumAndSize;
  noBuffer: boolean;
  postponeBytes: number;
  /** `gzip_vary`. */
  vary: boolean;
  /** Oldest version that is served, 10 or 11. */
  httpVersion: number;
  /** Bits of `PROXIED`. */
  proxied: number;
  /** `gzip_disable msie6`. */
  isMsie6Disabled: boolean;
  /** The other patterns of `gzip_disable`; null: none were said. */
  disabled: readonly Pattern[] | null;
}

export function gzipDefaults(): GzipConf {
  return {
    gzip: false,
    types: HTML_TYPES,
    minLengthBytes: 20,
    level: 1,
    windowBits: 15,
    memLevel: 8,
    buffers: { num: 32, sizeBytes: 4096 },
    noBuffer: false,
    postponeBytes: 0,
    vary: false,
    httpVersion: 11,
    proxied: PROXIED.off,
    isMsie6Disabled: false,
    disabled: null,
  };
}
