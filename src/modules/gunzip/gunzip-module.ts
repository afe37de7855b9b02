import { HTTP_SCOPES } from '../../config/contexts.ts';
import { directive } from '../../config/directive-spec.ts';
import { type NumAndSize, numAndSize } from '../../config/values.ts';
import { weakenEtag } from '../../http/body-filter.ts';
import type { HttpModule } from '../../http/http-module.ts';
import type { HeaderFilter } from '../../http/location.ts';
import { codeBody } from '../compression/code-body.ts';
import { GUNZIP } from '../compression/codec.ts';
import { isGzipAllowed } from '../gzip/gzip-allowed.ts';
import type { GzipConf } from '../gzip/gzip-conf.ts';
import { gzipModule } from '../gzip/gzip-module.ts';

export interface GunzipConf {
  gunzip: boolean;
  buffers: NumAndSize;
}

const SIZES = {};

/** Unpacks what a peer has sent compressed for clients that can't. */
export const gunzipModule: HttpModule<GunzipConf> = {
  name: 'gunzip',
  defaults: () => ({ gunzip: false, buffers: { num: 32, sizeBytes: 4096 } }),
  rows: [
    directive<GunzipConf>({
      name: 'gunzip',
      contexts: HTTP_SCOPES,
      args: 'flag',
      field: 'gunzip',
      syntax: 'on | off',
      defaultText: 'off',
      doc: 'Unpacks responses with `Content-Encoding: gzip` for clients that do not accept gzip, as fast as they take it.',
    }),
    directive<GunzipConf>({
      name: 'gunzip_buffers',
      contexts: HTTP_SCOPES,
      args: 2,
      field: 'buffers',
      parse: numAndSize,
      syntax: 'number size',
      defaultText: '32 4k',
      doc: 'No effect: one buffer of 32 KiB for each response is enough, since what was unpacked goes out at once.',
    }),
  ],
  compileLocation: (conf, build) => {
    if (conf.gunzip) build.addHeaderFilter(gunzipFilter(build.scope.conf(gzipModule)));
  },
};

function gunzipFilter(rules: GzipConf): HeaderFilter {
  return (ex) => {
    const { response } = ex;
    if (response.coding.toLowerCase() !== 'gzip') return;
    if (rules.vary) response.variesByEncoding = true;
    if (isGzipAllowed(ex, rules)) return;
    response.setCoding('');
    codeBody(ex, GUNZIP, SIZES);
    weakenEtag(ex);
  };
}
