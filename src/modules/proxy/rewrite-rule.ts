import type { Exchange } from '../../http/exchange.ts';
import { compilePattern } from '../../http/pcre/compile-pattern.ts';
import type { Template, VariableCompiler } from '../../http/variable.ts';

/** What a rule makes of a text; null: it does not match. */
export type Rewriter = (ex: Exchange, text: string) => string | null;

/** `~regex` or `~*regex` and a replacement with captures. The captures are the exchange's while the replacement is evaluated, and stay, as in nginx. */
export function regexRewriter(pattern: string, caseInsensitive: boolean, replacement: Template): Rewriter {
  const regex = compilePattern(pattern, { caseInsensitive });
  return (ex, text) => {
    const match = regex.exec(text);
    if (match === null) return null;
    ex.captures = match;
    return replacement.evaluate(ex);
  };
}

/** A text (with variables) that must begin with `pattern`, which is replaced. */
export function prefixRewriter(pattern: Template, replacement: Template): Rewriter {
  return (ex, text) => {
    const prefix = pattern.evaluate(ex);
    return text.startsWith(prefix) ? replacement.evaluate(ex) + text.slice(prefix.length) : null;
  };
}

/** A domain: the same but for case and a leading dot, which stays. */
export function domainRewriter(pattern: Template, replacement: Template): Rewriter {
  return (ex, text) => {
    const dot = text.startsWith('.') ? '.' : '';
    const wanted = pattern.evaluate(ex);
    if (text.slice(dot.length).toLowerCase() !== wanted.toLowerCase()) return null;
    return dot + replacement.evaluate(ex);
  };
}

/** The regex behind `~` or `~*`; null when the pattern is not one. */
export function regexOf(pattern: string): { source: string; caseInsensitive: boolean } | null {
  if (!pattern.startsWith('~')) return null;
  const caseInsensitive = pattern.startsWith('~*');
  return { source: pattern.slice(caseInsensitive ? 2 : 1), caseInsensitive };
}

/** A rule with a prefix pattern (`proxy_redirect`, `proxy_cookie_path`). */
export function compilePrefixRule(pattern: string, replacement: string, variables: VariableCompiler): Rewriter {
  const regex = regexOf(pattern);
  const template = variables.template(replacement);
  if (regex !== null) return regexRewriter(regex.source, regex.caseInsensitive, template);
  return prefixRewriter(variables.template(pattern), template);
}

/** The first rule that matches; null when none does. */
export function rewriteFirst(rules: readonly Rewriter[], ex: Exchange, text: string): string | null {
  for (const rule of rules) {
    const result = rule(ex, text);
    if (result !== null) return result;
  }
  return null;
}
