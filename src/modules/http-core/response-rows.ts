import { HTTP_SCOPES, LOCATION_IF } from '../../config/contexts.ts';
import { type DirectiveSpec, type DirectiveUse, directive } from '../../config/directive-spec.ts';
import { oneOf, sizeBytes, text } from '../../config/values.ts';
import { SERVER_TOKENS } from '../../http/error-pages.ts';
import type { HttpCoreConf } from './http-core-conf.ts';
import { parseTypes } from './types-block.ts';

const row = directive<HttpCoreConf>;

/** Directives about what responses look like. */
export const responseRows: readonly DirectiveSpec<HttpCoreConf>[] = [
  row({
    name: 'server_tokens',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'serverTokens',
    parse: oneOf(SERVER_TOKENS),
    syntax: 'on | off | build',
    defaultText: 'on',
    doc: 'Whether `Server` and error pages tell the version.',
  }),
  row({
    name: 'msie_padding',
    contexts: HTTP_SCOPES,
    args: 'flag',
    field: 'msiePadding',
    syntax: 'on | off',
    defaultText: 'on',
    doc: 'Lengthens error pages for MSIE and Chrome, which replace short ones by their own.',
  }),
  row({
    name: 'absolute_redirect',
    contexts: HTTP_SCOPES,
    args: 'flag',
    field: 'absoluteRedirect',
    syntax: 'on | off',
    defaultText: 'on',
    doc: 'Whether redirects to a path name scheme and host.',
  }),
  row({
    name: 'port_in_redirect',
    contexts: HTTP_SCOPES,
    args: 'flag',
    field: 'portInRedirect',
    syntax: 'on | off',
    defaultText: 'on',
    doc: 'Whether absolute redirects name the port.',
  }),
  row({
    name: 'server_name_in_redirect',
    contexts: HTTP_SCOPES,
    args: 'flag',
    field: 'serverNameInRedirect',
    syntax: 'on | off',
    defaultText: 'off',
    doc: 'Whether absolute redirects name the first `server_name` instead of the Host.',
  }),
  row({
    name: 'types',
    contexts: HTTP_SCOPES,
    args: 0,
    block: 'raw',
    apply: (conf, use) => {
      conf.types = parseTypes(use, conf.types ?? null);
    },
    syntax: '{ type extension …; … }',
    defaultText: 'text/html html; image/gif gif; image/jpeg jpg;',
    doc: "Content types by the path's extension.",
  }),
  row({
    name: 'default_type',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'defaultType',
    parse: text,
    syntax: 'mime-type',
    defaultText: 'text/plain',
    doc: 'Content type of what has none by `types`.',
  }),
  row({
    name: 'chunked_transfer_encoding',
    contexts: HTTP_SCOPES,
    args: 'flag',
    field: 'chunkedTransferEncoding',
    syntax: 'on | off',
    defaultText: 'on',
    doc: 'Whether a body of unknown length goes to HTTP/1.1 clients in chunks; else the connection is closed behind it.',
  }),
  row({
    name: 'limit_rate',
    contexts: HTTP_SCOPES | LOCATION_IF,
    args: 1,
    apply: (own, use) => {
      Object.assign(own, sizeOrText(use, 'limitRateBytes', 'limitRateText'));
    },
    syntax: 'rate',
    defaultText: '0',
    doc: 'Bytes per second that a response goes out with; 0: no limit.',
  }),
  row({
    name: 'limit_rate_after',
    contexts: HTTP_SCOPES | LOCATION_IF,
    args: 1,
    apply: (own, use) => {
      Object.assign(own, sizeOrText(use, 'limitRateAfterBytes', 'limitRateAfterText'));
    },
    syntax: 'size',
    defaultText: '0',
    doc: 'Bytes that go out before `limit_rate` begins.',
  }),
  row({
    name: 'log_not_found',
    contexts: HTTP_SCOPES,
    args: 'flag',
    field: 'logNotFound',
    syntax: 'on | off',
    defaultText: 'on',
    doc: 'Whether files that are not found are logged as errors.',
  }),
  row({
    name: 'log_subrequest',
    contexts: HTTP_SCOPES,
    args: 'flag',
    field: 'logSubrequest',
    syntax: 'on | off',
    defaultText: 'off',
    doc: 'Whether subrequests get lines of their own in the access log.',
  }),
];

/** A size, or a text with variables that says one on each request. */
function sizeOrText(
  use: DirectiveUse,
  bytes: string,
  variable: string,
): Readonly<Record<string, number | string | null>> {
  const given = text(use);
  return given.includes('$') ? { [bytes]: 0, [variable]: given } : { [bytes]: sizeBytes()(use), [variable]: null };
}
