import { weakenEtag } from '../../http/body-filter.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { HeaderFilter } from '../../http/location.ts';
import { isOfType, type TypeSet } from '../../http/type-set.ts';
import { codeBody } from '../compression/code-body.ts';
import { gzipCodec } from '../compression/codec.ts';
import { isGzipAllowed } from './gzip-allowed.ts';
import type { GzipConf } from './gzip-conf.ts';

/** Key of the sizes that `$gzip_ratio` is made of. */
export const GZIP_SIZES = {};

/** Compresses good answers, 403 and 404 of certain types for clients that take gzip. */
export function gzipFilter(conf: GzipConf): HeaderFilter {
  const codec = gzipCodec(conf);
  return (ex) => {
    if (!isCompressible(ex, conf.types, conf.minLengthBytes)) return;
    if (conf.vary) ex.response.variesByEncoding = true;
    if (!isGzipAllowed(ex, conf)) return;
    ex.response.setCoding('gzip');
    codeBody(ex, codec, GZIP_SIZES);
    weakenEtag(ex);
  };
}

/** Whether it is a response of the kind that is compressed, and not compressed already. */
export function isCompressible({ response }: Exchange, types: TypeSet, minLengthBytes: number): boolean {
  const { status, contentLength } = response;
  if (status !== 200 && status !== 403 && status !== 404) return false;
  if (contentLength >= 0 && contentLength < minLengthBytes) return false;
  return isOfType(response, types) && response.coding === '';
}
