import { HTTP_SCOPES } from '../../config/contexts.ts';
import { directive } from '../../config/directive-spec.ts';
import { oneOf } from '../../config/values.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { isGzipAllowed } from '../gzip/gzip-allowed.ts';
import { gzipModule } from '../gzip/gzip-module.ts';
import { addPackedFiles, PACKED_RULES, type PackedRule } from '../static/packed-files.ts';

export interface GzipStaticConf {
  gzipStatic: PackedRule;
}

/** Sends `file.gz` in place of `file`. */
export const gzipStaticModule: HttpModule<GzipStaticConf> = {
  name: 'gzip-static',
  defaults: () => ({ gzipStatic: 'off' }),
  rows: [
    directive<GzipStaticConf>({
      name: 'gzip_static',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'gzipStatic',
      parse: oneOf(PACKED_RULES),
      syntax: 'on | off | always',
      defaultText: 'off',
      doc: 'Sends `file.gz`, if there is one, in place of `file` to clients that accept gzip; `always`: to all.',
    }),
  ],
  compileLocation: ({ gzipStatic }, build) => {
    if (gzipStatic === 'off') return;
    const rules = build.scope.conf(gzipModule);
    addPackedFiles(build.location, {
      extension: '.gz',
      coding: 'gzip',
      isAccepted: (ex) => isGzipAllowed(ex, rules),
      isAlways: gzipStatic === 'always',
      varies: rules.vary,
    });
  },
};
