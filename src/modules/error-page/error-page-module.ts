import { HTTP_SCOPES, LOCATION_IF } from '../../config/contexts.ts';
import { directive } from '../../config/directive-spec.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { compileErrorPages } from './error-page-handler.ts';
import { type ErrorPageConf, parseErrorPage } from './parse-error-page.ts';

export interface ErrorPageModuleConf {
  errorPages: readonly ErrorPageConf[];
  isRecursive: boolean;
}

/** What answers in place of nginx's own pages. */
export const errorPageModule: HttpModule<ErrorPageModuleConf> = {
  name: 'error-page',
  defaults: () => ({ errorPages: [], isRecursive: false }),
  rows: [
    directive<ErrorPageModuleConf>({
      name: 'error_page',
      contexts: HTTP_SCOPES | LOCATION_IF,
      args: [2, Number.POSITIVE_INFINITY],
      field: 'errorPages',
      repeat: 'append',
      parse: parseErrorPage,
      syntax: 'code … [=[response]] uri',
      doc: 'Where the answer for these statuses comes from: a URI, a named location, or a redirect to a URL.',
    }),
    directive<ErrorPageModuleConf>({
      name: 'recursive_error_pages',
      contexts: HTTP_SCOPES,
      args: 'flag',
      field: 'isRecursive',
      syntax: 'on | off',
      defaultText: 'off',
      doc: 'Whether an error within an error page may have a page of its own.',
    }),
  ],
  compileLocation: ({ errorPages, isRecursive }, build) => {
    if (errorPages.length === 0) return;
    const { handler, statuses } = compileErrorPages(errorPages, isRecursive, build.variables);
    build.location.errorPage = handler;
    build.location.errorPageStatuses = statuses;
  },
};
