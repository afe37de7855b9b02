import { HTTP_SCOPES } from '../../config/contexts.ts';
import { directive } from '../../config/directive-spec.ts';
import { oneOf } from '../../config/values.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { isBrotliAccepted } from '../brotli/brotli-module.ts';
import { gzipModule } from '../gzip/gzip-module.ts';
import { addPackedFiles, PACKED_RULES, type PackedRule } from '../static/packed-files.ts';

export interface BrotliStaticConf {
  brotliStatic: PackedRule;
}

/** Sends `file.br` in place of `file`; goes before `gzip_static`. */
export const brotliStaticModule: HttpModule<BrotliStaticConf> = {
  name: 'brotli-static',
  defaults: () => ({ brotliStatic: 'off' }),
  rows: [
    directive<BrotliStaticConf>({
      name: 'brotli_static',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'brotliStatic',
      parse: oneOf(PACKED_RULES),
      syntax: 'on | off | always',
      defaultText: 'off',
      doc: 'Sends `file.br`, if there is one, in place of `file` to clients that accept `br`; `always`: to all. Goes before `gzip_static`.',
    }),
  ],
  compileLocation: ({ brotliStatic }, build) => {
    if (brotliStatic === 'off') return;
    addPackedFiles(build.location, {
      extension: '.br',
      coding: 'br',
      isAccepted: isBrotliAccepted,
      isAlways: brotliStatic === 'always',
      varies: build.scope.conf(gzipModule).vary,
    });
  },
};
