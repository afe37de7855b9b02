import { HTTP_SCOPES } from '../../config/contexts.ts';
import type { DirectiveSpec, DirectiveUse } from '../../config/directive-spec.ts';
import { texts, wordList } from '../../config/values.ts';
import { compilePattern } from '../../http/pcre/compile-pattern.ts';
import { IGNORABLE_HEADERS, type ProxyConf, type RewriteRule } from './proxy-conf.ts';
import { hasVariables } from './proxy-url.ts';

const ignorableHeaders = wordList(IGNORABLE_HEADERS);

type Row = DirectiveSpec<ProxyConf>;

function duplicate(use: DirectiveUse): never {
  return use.fail(`"${use.name}" directive is duplicate`);
}

/** `off`, which must stand alone, or one more rule. */
function appendRule<R>(
  use: DirectiveUse,
  own: readonly R[] | 'off' | null | undefined,
  rule: 'off' | R,
): readonly R[] | 'off' {
  if (own === 'off') return duplicate(use);
  if (rule !== 'off') return [...(own ?? []), rule];
  return own === undefined || own === null ? 'off' : duplicate(use);
}

/** Also where no proxy_pass makes use of it, a bad pattern is found where it stands. */
function checkPattern(pattern: string): void {
  if (pattern.startsWith('~')) compilePattern(pattern.replace(/^~\*?/, ''));
}

function redirectRule(use: DirectiveUse, pass: string | null | undefined): 'off' | RewriteRule {
  const [pattern = '', replacement] = use.args;
  checkPattern(pattern);
  if (replacement !== undefined) return { pattern, replacement };
  if (pattern === 'off') return 'off';
  if (pattern !== 'default') return use.fail(`invalid parameter "${pattern}"`);
  if (pass === undefined || pass === null) {
    return use.fail('"proxy_redirect default" should be placed after the "proxy_pass" directive');
  }
  if (hasVariables(pass)) {
    return use.fail('"proxy_redirect default" cannot be used with "proxy_pass" directive with variables');
  }
  return 'default';
}

function pairRule(use: DirectiveUse): 'off' | RewriteRule {
  const [pattern = '', replacement] = use.args;
  checkPattern(pattern);
  if (replacement !== undefined) return { pattern, replacement };
  return pattern === 'off' ? 'off' : use.fail(`invalid parameter "${pattern}"`);
}

const onOff = (name: string, field: keyof ProxyConf, doc: string): Row => ({
  name,
  contexts: HTTP_SCOPES,
  args: 'flag',
  field,
  syntax: 'on | off',
  defaultText: 'off',
  doc,
});

const fieldNames = (name: string, field: keyof ProxyConf, doc: string): Row => ({
  name,
  contexts: HTTP_SCOPES,
  args: 1,
  field,
  repeat: 'append',
  parse: (use) => use.args[0] ?? '',
  syntax: 'field',
  doc,
});

/** What of a response reaches the client. */
export const responseRows: readonly Row[] = [
  fieldNames('proxy_hide_header', 'hideHeaders', 'A field of the peer’s response that is not passed to the client.'),
  fieldNames(
    'proxy_pass_header',
    'passHeaders',
    'Passes a field to the client that is hidden by default: Date, Server, X-Pad, X-Accel-….',
  ),
  {
    name: 'proxy_ignore_headers',
    contexts: HTTP_SCOPES,
    args: [1, Number.POSITIVE_INFINITY],
    apply: (conf, use) => {
      conf.ignoreHeaders = ignorableHeaders(use, conf.ignoreHeaders);
    },
    syntax: 'field ...',
    doc: 'Fields of the peer’s response that have no effect here: X-Accel-Redirect, X-Accel-Limit-Rate, X-Accel-Buffering and others.',
  },
  onOff(
    'proxy_pass_trailers',
    'passTrailers',
    'Whether trailer fields of the peer’s response are passed to the client.',
  ),
  onOff(
    'proxy_force_ranges',
    'forceRanges',
    'Whether a request for a range is answered out of a whole response, whatever the peer’s Accept-Ranges says.',
  ),
  onOff(
    'proxy_intercept_errors',
    'interceptErrors',
    'Whether `error_page` answers in place of a peer’s response of 300 and more. There is no `error_page` yet.',
  ),
  {
    name: 'proxy_redirect',
    contexts: HTTP_SCOPES,
    args: [1, 2],
    repeat: 'last',
    apply: (own, use) => {
      own.redirects = appendRule(use, own.redirects, redirectRule(use, own.pass));
    },
    syntax: 'default | off | redirect replacement',
    defaultText: 'default',
    doc: 'Rewrites the fields Location and Refresh of the peer’s response. `default`: what `proxy_pass` names becomes the path of the location.',
  },
  {
    name: 'proxy_cookie_domain',
    contexts: HTTP_SCOPES,
    args: [1, 2],
    repeat: 'last',
    apply: (own, use) => {
      own.cookieDomains = appendRule(use, own.cookieDomains, pairRule(use));
    },
    syntax: 'off | domain replacement',
    defaultText: 'off',
    doc: 'Rewrites the domain in Set-Cookie fields of the peer’s response.',
  },
  {
    name: 'proxy_cookie_path',
    contexts: HTTP_SCOPES,
    args: [1, 2],
    repeat: 'last',
    apply: (own, use) => {
      own.cookiePaths = appendRule(use, own.cookiePaths, pairRule(use));
    },
    syntax: 'off | path replacement',
    defaultText: 'off',
    doc: 'Rewrites the path in Set-Cookie fields of the peer’s response.',
  },
  {
    name: 'proxy_cookie_flags',
    contexts: HTTP_SCOPES,
    args: [1, 4],
    repeat: 'last',
    apply: (own, use) => {
      const [cookie = '', ...flags] = use.args;
      if (flags.length === 0 && cookie !== 'off') return use.fail(`invalid parameter "${cookie}"`);
      own.cookieFlags = appendRule(use, own.cookieFlags, flags.length === 0 ? 'off' : { cookie, flags });
    },
    syntax: 'off | cookie flag ...',
    defaultText: 'off',
    doc: 'Adds flags to Set-Cookie fields of the peer’s response, or removes them: `secure`, `httponly`, `samesite=strict|lax|none`, `nosecure`, `nohttponly`, `nosamesite`.',
  },
  {
    name: 'early_hints',
    contexts: HTTP_SCOPES,
    args: [1, Number.POSITIVE_INFINITY],
    field: 'earlyHints',
    parse: texts,
    syntax: 'string ...',
    doc: 'Passes a peer’s response 103 to the client when one of the strings is neither empty nor `0`.',
  },
];
