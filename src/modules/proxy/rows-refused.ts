import { HTTP, HTTP_SCOPES } from '../../config/contexts.ts';
import type { DirectiveSpec } from '../../config/directive-spec.ts';
import type { ProxyConf } from './proxy-conf.ts';

type Row = DirectiveSpec<ProxyConf>;

function refused(names: string, contexts: number, what: string): Row[] {
  return names.split(' ').map((name) => ({
    name,
    contexts,
    args: [1, Number.POSITIVE_INFINITY],
    apply: (_own, use) => {
      // Saying that there is none of it is the truth.
      if (use.args.length === 1 && use.args[0] === 'off') return;
      use.fail(`"${name}" directive is not supported: ${what}`);
    },
    repeat: 'last',
    doc: `Refused (but for \`off\`): ${what}.`,
  }));
}

/** Details of a cache, which are nothing without one, in nginx too: `proxy_cache_bypass $http_upgrade` stands in many configurations. */
function withoutCache(names: string): Row[] {
  return names.split(' ').map((name) => ({
    name,
    contexts: HTTP_SCOPES,
    args: [1, Number.POSITIVE_INFINITY],
    apply: () => undefined,
    repeat: 'last',
    doc: 'No effect: it is about a cache, and `proxy_cache`, which would make one, is refused.',
  }));
}

/** What nginx has and this proxy has not: a finding, so that nobody believes it is in force. */
export const refusedRows: readonly Row[] = [
  ...refused('proxy_cache proxy_cache_purge', HTTP_SCOPES, 'responses are not cached'),
  ...withoutCache(
    'proxy_cache_bypass proxy_cache_key proxy_cache_lock proxy_cache_lock_age proxy_cache_lock_timeout proxy_cache_max_range_offset proxy_cache_methods proxy_cache_min_uses proxy_cache_revalidate proxy_cache_use_stale proxy_cache_background_update proxy_cache_convert_head proxy_cache_valid proxy_no_cache',
  ),
  ...refused('proxy_cache_path', HTTP, 'responses are not cached'),
  ...refused('proxy_store proxy_store_access', HTTP_SCOPES, 'responses are not stored'),
];
