import { HTTP_SCOPES, LOCATION_IF } from '../../config/contexts.ts';
import { directive } from '../../config/directive-spec.ts';
import { integer, type NumAndSize, numAndSize, sizeBytes } from '../../config/values.ts';
import { acceptsBrotli } from '../../http/accept-encoding.ts';
import { weakenEtag } from '../../http/body-filter.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { HEADER_ID } from '../../http/known-header.ts';
import type { HeaderFilter } from '../../http/location.ts';
import { addTypes, HTML_TYPES, type TypeSet } from '../../http/type-set.ts';
import { codeBody } from '../compression/code-body.ts';
import { brotliCodec } from '../compression/codec.ts';
import { ratioOf } from '../compression/coded-sizes.ts';
import { powerOfTwo } from '../compression/power-of-two.ts';
import { isCompressible } from '../gzip/gzip-filter.ts';
import { gzipModule } from '../gzip/gzip-module.ts';

export interface BrotliConf {
  brotli: boolean;
  types: TypeSet;
  minLengthBytes: number;
  /** 0 to 11. */
  quality: number;
  windowBits: number;
  buffers: NumAndSize;
}

const SIZES = {};
const row = directive<BrotliConf>;

/** What nginx has from the brotli module of Google. Where a client takes both, brotli is used and not gzip. */
export const brotliModule: HttpModule<BrotliConf> = {
  name: 'brotli',
  defaults: () => ({
    brotli: false,
    types: HTML_TYPES,
    minLengthBytes: 20,
    quality: 6,
    windowBits: 19,
    buffers: { num: 32, sizeBytes: 4096 },
  }),
  rows: [
    row({
      name: 'brotli',
      contexts: HTTP_SCOPES | LOCATION_IF,
      args: 'flag',
      field: 'brotli',
      syntax: 'on | off',
      defaultText: 'off',
      doc: 'Compresses responses with status 200, 403 and 404 with brotli for clients that accept `br`; goes before `gzip`.',
    }),
    row({
      name: 'brotli_types',
      contexts: HTTP_SCOPES,
      args: [1, Number.POSITIVE_INFINITY],
      apply: (conf, use) => {
        conf.types = addTypes(conf.types, use);
      },
      syntax: 'mime-type … | *',
      defaultText: 'text/html',
      doc: 'Types that are compressed beside text/html.',
    }),
    row({
      name: 'brotli_comp_level',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'quality',
      parse: integer({ min: 0, max: 11 }),
      syntax: 'number',
      defaultText: '6',
      doc: 'How hard to try, 0 to 11. From 7 on it is done in threads, since it would hold up other requests.',
    }),
    row({
      name: 'brotli_min_length',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'minLengthBytes',
      parse: sizeBytes(),
      syntax: 'size',
      defaultText: '20',
      doc: 'Responses with a smaller Content-Length stay as they are.',
    }),
    row({
      name: 'brotli_window',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'windowBits',
      parse: powerOfTwo(
        { min: 10, max: 24 },
        'must be 1k, 2k, 4k, 8k, 16k, 32k, 64k, 128k, 256k, 512k, 1m, 2m, 4m, 8m or 16m',
      ),
      syntax: 'size',
      defaultText: '512k',
      doc: 'How far back repetitions are looked for.',
    }),
    row({
      name: 'brotli_buffers',
      contexts: HTTP_SCOPES,
      args: 2,
      field: 'buffers',
      parse: numAndSize,
      syntax: 'number size',
      defaultText: '32 4k',
      doc: 'No effect, as in the module of this name.',
    }),
  ],
  variables: [{ name: 'brotli_ratio', compile: () => (ex) => ratioOf(ex, SIZES) }],
  compileLocation: (conf, build) => {
    if (conf.brotli) build.addHeaderFilter(brotliFilter(conf, build.scope.conf(gzipModule).vary));
  },
};

export function isBrotliAccepted({ request: { headers } }: Exchange): boolean {
  const at = headers.find(HEADER_ID['accept-encoding']);
  return at >= 0 && acceptsBrotli(headers.value(at));
}

function brotliFilter(conf: BrotliConf, varies: boolean): HeaderFilter {
  const codec = brotliCodec(conf.quality, conf.windowBits);
  return (ex) => {
    const { response } = ex;
    if (!isCompressible(ex, conf.types, conf.minLengthBytes)) return;
    if (varies) response.variesByEncoding = true;
    if (!isBrotliAccepted(ex)) return;
    response.setCoding('br');
    codeBody(ex, codec, SIZES);
    weakenEtag(ex);
  };
}
