import { HTTP_SCOPES } from '../../config/contexts.ts';
import type { DirectiveSpec } from '../../config/directive-spec.ts';
import { integer, timeMs, wordMask } from '../../config/values.ts';
import { RETRY_CONDITIONS } from '../../policy/retry.ts';
import type { ProxyConf } from './proxy-conf.ts';

/** `updating` is about stale cache entries, of which there are none. */
const retryConditions = wordMask({ ...RETRY_CONDITIONS, updating: 0 });

/** When the next peer is tried. */
export const retryRows: readonly DirectiveSpec<ProxyConf>[] = [
  {
    name: 'proxy_next_upstream',
    contexts: HTTP_SCOPES,
    args: [1, Number.POSITIVE_INFINITY],
    apply: (conf, use) => {
      conf.nextUpstream = retryConditions(use, conf.nextUpstream);
    },
    syntax:
      'error | timeout | invalid_header | http_500 | http_502 | http_503 | http_504 | http_403 | http_404 | http_429 | non_idempotent | off ...',
    defaultText: 'error timeout',
    doc: 'Failures after which a request goes to the next peer, as long as nothing of the response went to the client. A POST, LOCK or PATCH goes only when nothing of it was sent yet, or with `non_idempotent`.',
  },
  {
    name: 'proxy_next_upstream_tries',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'nextUpstreamTries',
    parse: integer(),
    syntax: 'number',
    defaultText: '0',
    doc: 'Number of peers that are tried for one request; 0: all.',
  },
  {
    name: 'proxy_next_upstream_timeout',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'nextUpstreamTimeoutMs',
    parse: timeMs(),
    syntax: 'time',
    defaultText: '0',
    doc: 'Time, counted from the first try, after which no further peer is tried; 0: no limit.',
  },
];
