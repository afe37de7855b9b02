import { HTTP_SCOPES } from '../../config/contexts.ts';
import { directive } from '../../config/directive-spec.ts';
import { oneOf } from '../../config/values.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { setDirectoryListing } from '../static/directory-listing.ts';
import { answerDirectory, FORMATS, type ListingFormat, type ListingSettings } from './directory-answer.ts';

export interface AutoindexConf {
  isOn: boolean;
  isExact: boolean;
  isLocalTime: boolean;
  format: ListingFormat;
}

/** nginx's ngx_http_autoindex_module: what is in a directory that has no index. */
export const autoindexModule: HttpModule<AutoindexConf> = {
  name: 'autoindex',
  defaults: () => ({ isOn: false, isExact: true, isLocalTime: false, format: 'html' }),
  rows: [
    directive<AutoindexConf>({
      name: 'autoindex',
      contexts: HTTP_SCOPES,
      args: 'flag',
      field: 'isOn',
      defaultText: 'off',
      doc: 'Lists what is in a directory that has no index. Names that begin with a dot are left out.',
    }),
    directive<AutoindexConf>({
      name: 'autoindex_exact_size',
      contexts: HTTP_SCOPES,
      args: 'flag',
      field: 'isExact',
      defaultText: 'on',
      doc: 'Sizes of the HTML listing in bytes; off: rounded, with `K`, `M` or `G`.',
    }),
    directive<AutoindexConf>({
      name: 'autoindex_localtime',
      contexts: HTTP_SCOPES,
      args: 'flag',
      field: 'isLocalTime',
      defaultText: 'off',
      doc: 'Times of the HTML listing in local time instead of UTC.',
    }),
    directive<AutoindexConf>({
      name: 'autoindex_format',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'format',
      parse: oneOf(FORMATS),
      syntax: 'html | json | jsonp | xml',
      defaultText: 'html',
      doc: 'Format of the listing. The function of `jsonp` is named by the argument `callback` of the request; without it, it is `json`.',
    }),
  ],
  compileLocation: ({ isOn, isExact, isLocalTime, format }, { location }) => {
    if (!isOn) return;
    const settings: ListingSettings = { isExact, isLocalTime, format };
    setDirectoryListing(location, (ex, path) => answerDirectory(ex, path, settings));
  },
};
