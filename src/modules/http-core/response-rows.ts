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
    doc: 'Whether the `Server` field and error pages tell the version of nginx.',
  }),
  row({
    name: 'msie_padding',
    contexts: HTTP_SCOPES,
    args: 'flag',
    field: 'msiePadding',
    syntax: 'on | off',
    defaultText: 'on',
    doc: 'Lengthens short error pages for MSIE and Chrome, which would show pages of their own instead.',
  }),
  row({
    name: 'absolute_redirect',
    contexts: HTTP_SCOPES,
    args: 'flag',
    field: 'absoluteRedirect',
    syntax: 'on | off',
    defaultText: 'on',
    doc: 'Whether a redirect to a path of this server tells scheme and host as well.',
  }),
  row({
    name: 'port_in_redirect',
    contexts: HTTP_SCOPES,
    args: 'flag',
    field: 'portInRedirect',
    syntax: 'on | off',
    defaultText: 'on',
    doc: 'Whether a redirect that tells the host tells the port as well.',
  }),
  row({
    name: 'server_name_in_redirect',
    contexts: HTTP_SCOPES,
    args: 'flag',
    field: 'serverNameInRedirect',
    syntax: 'on | off',
    defaultText: 'off',
    doc: 'Whether a redirect that tells the host tells the first `server_name` instead of what the request calls it.',
  }),
  row({
    name: 'types',
    contexts: HTTP_SCOPES,
    args: 0,
    block: 'raw',
    apply: (conf, use) => {
      conf.types = parseTypes(use, conf.types ?? null);
    },
    defaultText: 'text/html html; image/gif gif; image/jpeg jpg;',
    doc: 'Content types by the extension of the path, in lines such as `text/html html htm;`.',
  }),
  row({
    name: 'default_type',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'defaultType',
    parse: text,
    syntax: 'mime-type',
    defaultText: 'text/plain',
    doc: 'Content type of a response to whose path `types` has none.',
  }),
  row({
    name: 'chunked_transfer_encoding',
    contexts: HTTP_SCOPES,
    args: 'flag',
    field: 'chunkedTransferEncoding',
    syntax: 'on | off',
    defaultText: 'on',
    doc: 'Whether a body of unknown length goes to HTTP/1.1 clients in chunks; without, its end is told by closing the connection.',
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
    doc: 'Bytes per second that a response is sent with; 0: no limit. May contain variables.',
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
    doc: 'Bytes of a response that are sent before `limit_rate` begins. May contain variables.',
  }),
  row({
    name: 'log_not_found',
    contexts: HTTP_SCOPES,
    args: 'flag',
    field: 'logNotFound',
    syntax: 'on | off',
    defaultText: 'on',
    doc: 'Whether a file that is not found has a line in the error log.',
  }),
  row({
    name: 'log_subrequest',
    contexts: HTTP_SCOPES,
    args: 'flag',
    field: 'logSubrequest',
    syntax: 'on | off',
    defaultText: 'off',
    doc: 'Whether internal requests have lines of their own in the access log.',
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
