import { addBodyFilter, changesLength } from '../../http/body-filter.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Codec } from './codec.ts';
import { countSizes } from './coded-sizes.ts';
import { HandleFilter } from './handle-filter.ts';
import { StreamFilter } from './stream-filter.ts';
import { areHandlesUsable } from './zlib-handle.ts';

/** The body of this response goes through the codec; its sizes are kept under `key`. */
export function codeBody(ex: Exchange, codec: Codec, key: object): void {
  const { contentLength } = ex.response;
  const isSlow = (contentLength < 0 ? Number.MAX_SAFE_INTEGER : contentLength) >= codec.slowFromBytes;
  const sizes = countSizes(ex, key);
  changesLength(ex);
  addBodyFilter(ex, (link) =>
    isSlow || !areHandlesUsable() ? new StreamFilter(link, codec, sizes) : new HandleFilter(link, codec, sizes),
  );
}
