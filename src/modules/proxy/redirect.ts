import type { Exchange } from '../../http/exchange.ts';
import type { VariableCompiler } from '../../http/variable.ts';
import type { ProxyConf, RewriteRule } from './proxy-conf.ts';
import { hasVariables, parseProxyUrl } from './proxy-url.ts';
import { compilePrefixRule, prefixRewriter, type Rewriter, rewriteFirst } from './rewrite-rule.ts';

/** `proxy_redirect` of a location: rules for `Location` and `Refresh`; empty = off. `locationName`: the prefix that the location matches. */
export function compileRedirects(conf: ProxyConf, locationName: string, variables: VariableCompiler): Rewriter[] {
  if (conf.redirects === 'off' || conf.pass === null) return [];
  const rules: readonly RewriteRule[] = conf.redirects ?? (hasVariables(conf.pass) ? [] : ['default']);
  return rules.flatMap((rule) => {
    if (rule !== 'default') return [compilePrefixRule(rule.pattern, rule.replacement, variables)];
    // Inherited by a location whose own proxy_pass has variables: there is nothing to make the pair of.
    return hasVariables(conf.pass ?? '') ? [] : [defaultRule(conf.pass ?? '', locationName)];
  });
}

/** What `proxy_pass` maps one way, mapped back. */
function defaultRule(pass: string, locationName: string): Rewriter {
  const hasUri = parseProxyUrl(pass).uri !== '';
  const [pattern, replacement] = hasUri ? [pass, locationName] : [`${pass}/`, '/'];
  return prefixRewriter(fixed(pattern), fixed(replacement));
}

const fixed = (text: string) => ({ constant: text, evaluate: () => text });

/** `Refresh: 5; url=http://…`: the URL is rewritten, what stands before it stays. Null: nothing to rewrite. */
export function rewriteRefresh(rules: readonly Rewriter[], ex: Exchange, value: string): string | null {
  const at = value.toLowerCase().indexOf('url=');
  if (at < 0) return null;
  const start = at + 'url='.length;
  const url = rewriteFirst(rules, ex, value.slice(start));
  return url === null ? null : value.slice(0, start) + url;
}
