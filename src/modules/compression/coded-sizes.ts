import type { Exchange } from '../../http/exchange.ts';

/** Bytes of one response's body before and after a codec, for `$gzip_ratio` and kin. */
export interface CodedSizes {
  in: number;
  out: number;
  /** It was coded to its end. */
  isWhole: boolean;
}

/** New sizes for this response, under a module's key. */
export function countSizes(ex: Exchange, key: object): CodedSizes {
  const sizes: CodedSizes = { in: 0, out: 0, isWhole: false };
  ex.extras ??= new Map();
  ex.extras.set(key, sizes);
  return sizes;
}

/** How many times smaller it became, rounded to hundredths as nginx does; null: nothing was coded to its end. */
export function ratioOf(ex: Exchange, key: object): string | null {
  const sizes = ex.extras?.get(key) as CodedSizes | undefined;
  if (sizes === undefined || !sizes.isWhole || sizes.out === 0) return null;
  const hundredths = Math.floor((sizes.in * 100) / sizes.out);
  const isUp = Math.floor((sizes.in * 1000) / sizes.out) % 10 > 4;
  return ((hundredths + (isUp ? 1 : 0)) / 100).toFixed(2);
}
