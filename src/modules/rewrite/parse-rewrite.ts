import type { DirectiveUse } from '../../config/directive-spec.ts';
import { compilePattern } from '../../http/pcre/compile-pattern.ts';
import type { RewriteRule } from './rewrite-conf.ts';

/** `rewrite PATTERN REPLACEMENT [last | break | redirect | permanent]`. */
export function parseRewrite(use: DirectiveUse): RewriteRule {
  const [source = '', written = '', flag] = use.args;
  if (written === '') use.fail('empty replacement');
  const pattern = compilePattern(source);
  const addsArgs = !written.endsWith('?');
  const replacement = addsArgs ? written : written.slice(0, -1);
  const isUrl = /^(http:\/\/|https:\/\/|\$scheme)/.test(replacement);
  const status = { redirect: 302, permanent: 301 }[flag ?? ''] ?? (isUrl ? 302 : 0);
  if (flag !== undefined && !['last', 'break', 'redirect', 'permanent'].includes(flag)) {
    use.fail(`invalid parameter "${flag}"`);
  }
  return {
    pattern,
    replacement,
    addsArgs,
    redirectStatus: status,
    isBreak: flag === 'break',
    isLast: flag !== undefined || isUrl,
  };
}
