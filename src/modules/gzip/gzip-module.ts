import { HTTP_SCOPES, LOCATION_IF } from '../../config/contexts.ts';
import { ConfigError } from '../../config/diagnostic.ts';
import { type DirectiveUse, directive } from '../../config/directive-spec.ts';
import { integer, numAndSize, sizeBytes, wordMask } from '../../config/values.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { compilePattern, type Pattern } from '../../http/pcre/compile-pattern.ts';
import { addTypes } from '../../http/type-set.ts';
import { ratioOf } from '../compression/coded-sizes.ts';
import { powerOfTwo } from '../compression/power-of-two.ts';
import { type GzipConf, gzipDefaults, PROXIED } from './gzip-conf.ts';
import { GZIP_SIZES, gzipFilter } from './gzip-filter.ts';

const proxiedWords = wordMask(PROXIED);
const row = directive<GzipConf>;
const MSIE6 = 'msie6';
/** zlib counts from 512 bytes, its level 1. */
const hashBits = powerOfTwo({ min: 9, max: 17 }, 'must be 512, 1k, 2k, 4k, 8k, 16k, 32k, 64k, or 128k');

/** Compresses what goes out; the rules for whom also count for `gunzip` and `gzip_static`. */
export const gzipModule: HttpModule<GzipConf> = {
  name: 'gzip',
  defaults: gzipDefaults,
  rows: [
    row({
      name: 'gzip',
      contexts: HTTP_SCOPES | LOCATION_IF,
      args: 'flag',
      field: 'gzip',
      syntax: 'on | off',
      defaultText: 'off',
      doc: 'Compresses responses with status 200, 403 and 404 for clients that accept gzip. What a peer sends piece by piece goes out piece by piece.',
    }),
    row({
      name: 'gzip_types',
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
      name: 'gzip_min_length',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'minLengthBytes',
      parse: sizeBytes(),
      syntax: 'size',
      defaultText: '20',
      doc: 'Responses with a smaller Content-Length stay as they are.',
    }),
    row({
      name: 'gzip_comp_level',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'level',
      parse: integer({ min: 1, max: 9 }),
      syntax: 'number',
      defaultText: '1',
      doc: 'How hard to try, 1 to 9. From 8 on larger bodies are compressed in threads, since they would hold up other requests.',
    }),
    row({
      name: 'gzip_proxied',
      contexts: HTTP_SCOPES,
      args: [1, Number.POSITIVE_INFINITY],
      apply: (conf, use) => {
        conf.proxied = proxiedWords(use, conf.proxied);
      },
      syntax: `${Object.keys(PROXIED).join(' | ')} …`,
      defaultText: 'off',
      doc: 'For which answers to requests with a `Via` field gzip is used.',
    }),
    row({
      name: 'gzip_vary',
      contexts: HTTP_SCOPES,
      args: 'flag',
      field: 'vary',
      syntax: 'on | off',
      defaultText: 'off',
      doc: 'Adds `Vary: Accept-Encoding` to what gzip, gunzip, brotli and their static kin may change.',
    }),
    row({
      name: 'gzip_disable',
      contexts: HTTP_SCOPES,
      args: [1, Number.POSITIVE_INFINITY],
      apply: (conf, use) => {
        for (const arg of use.args) {
          if (arg === MSIE6) conf.isMsie6Disabled = true;
          else conf.disabled = [...(conf.disabled ?? []), patternOf(arg, use)];
        }
      },
      syntax: 'regex … | msie6',
      doc: 'Clients whose `User-Agent` matches get no gzip, whatever they accept; `msie6`: old Internet Explorers.',
    }),
    row({
      name: 'gzip_http_version',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'httpVersion',
      parse: (use) => {
        const [version = ''] = use.args;
        if (version === '1.0') return 10;
        return version === '1.1' ? 11 : use.fail(`invalid value "${version}"`);
      },
      syntax: '1.0 | 1.1',
      defaultText: '1.1',
      doc: 'Oldest HTTP version that gets gzip.',
    }),
    row({
      name: 'gzip_window',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'windowBits',
      parse: powerOfTwo({ min: 9, max: 15 }, 'must be 512, 1k, 2k, 4k, 8k, 16k, or 32k'),
      syntax: 'size',
      defaultText: '32k',
      doc: 'How far back repetitions are looked for.',
    }),
    row({
      name: 'gzip_hash',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'memLevel',
      parse: (use) => hashBits(use) - 8,
      syntax: 'size',
      defaultText: '64k',
      doc: 'Memory for finding repetitions.',
    }),
    row({
      name: 'gzip_buffers',
      contexts: HTTP_SCOPES,
      args: 2,
      field: 'buffers',
      parse: numAndSize,
      syntax: 'number size',
      defaultText: '32 4k',
      doc: 'No effect: one buffer of 32 KiB for each response is enough, since what was compressed goes out at once.',
    }),
    row({
      name: 'gzip_no_buffer',
      contexts: HTTP_SCOPES,
      args: 'flag',
      field: 'noBuffer',
      syntax: 'on | off',
      defaultText: 'off',
      doc: 'No effect: when a peer pauses, what was compressed goes out anyway.',
    }),
    row({
      name: 'postpone_gzipping',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'postponeBytes',
      parse: sizeBytes(),
      syntax: 'size',
      defaultText: '0',
      doc: 'No effect: compression begins with the first byte.',
    }),
  ],
  variables: [{ name: 'gzip_ratio', compile: () => (ex) => ratioOf(ex, GZIP_SIZES) }],
  compileLocation: (conf, build) => {
    if (conf.gzip) build.addHeaderFilter(gzipFilter(conf));
  },
};

function patternOf(source: string, use: DirectiveUse): Pattern {
  try {
    return compilePattern(source, { caseInsensitive: true });
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(error.message, use.pos) : error;
  }
}
