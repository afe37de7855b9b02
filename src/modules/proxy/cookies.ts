import type { Exchange } from '../../http/exchange.ts';
import { compilePattern } from '../../http/pcre/compile-pattern.ts';
import type { Template, VariableCompiler } from '../../http/variable.ts';
import type { ProxyConf, RewriteRule } from './proxy-conf.ts';
import {
  compilePrefixRule,
  domainRewriter,
  type Rewriter,
  regexOf,
  regexRewriter,
  rewriteFirst,
} from './rewrite-rule.ts';

/** One `name=value` or `attribute` of a Set-Cookie field. */
interface CookiePart {
  readonly key: string;
  /** Null: no `=`. */
  value: string | null;
}

interface FlagsRule {
  isFor(ex: Exchange, name: string): boolean;
  readonly flags: readonly Template[];
}

/** `proxy_cookie_domain`, `_path` and `_flags` of a location. */
export class CookieRewriter {
  readonly #domains: readonly Rewriter[];
  readonly #paths: readonly Rewriter[];
  readonly #flags: readonly FlagsRule[];

  private constructor(domains: readonly Rewriter[], paths: readonly Rewriter[], flags: readonly FlagsRule[]) {
    this.#domains = domains;
    this.#paths = paths;
    this.#flags = flags;
  }

  /** Null: cookies pass as they are. */
  static compile(conf: ProxyConf, variables: VariableCompiler): CookieRewriter | null {
    const standAt = (name: string) => {
      variables.pos = conf.positions[name] ?? variables.pos;
    };
    standAt('proxy_cookie_domain');
    const domains = pairs(conf.cookieDomains).map((rule) => compileDomain(rule.pattern, rule.replacement, variables));
    standAt('proxy_cookie_path');
    const paths = pairs(conf.cookiePaths).map((rule) => compilePrefixRule(rule.pattern, rule.replacement, variables));
    standAt('proxy_cookie_flags');
    const flags =
      conf.cookieFlags === 'off'
        ? []
        : conf.cookieFlags.map((rule) => compileFlags(rule.cookie, rule.flags, variables));
    return domains.length + paths.length + flags.length === 0 ? null : new CookieRewriter(domains, paths, flags);
  }

  /** The field's new value; the very same string when no rule applies. */
  rewrite(ex: Exchange, value: string): string {
    const parts = parseCookie(value);
    // nginx leaves alone what does not begin with `name=value`.
    if (parts[0]?.value === null) return value;
    let isChanged = false;
    for (let i = 1; i < parts.length; i++) {
      const part = parts[i] as CookiePart;
      const rules = this.#rulesFor(part.key);
      if (rules === null || part.value === null) continue;
      const rewritten = rewriteFirst(rules, ex, part.value);
      if (rewritten === null) continue;
      part.value = rewritten;
      isChanged = true;
    }
    const rule = this.#flags.find((candidate) => candidate.isFor(ex, parts[0]?.key ?? ''));
    if (rule !== undefined) isChanged = applyFlags(ex, parts, rule.flags) || isChanged;
    return isChanged ? parts.map(writePart).join('; ') : value;
  }

  #rulesFor(attribute: string): readonly Rewriter[] | null {
    const name = attribute.toLowerCase();
    if (name === 'domain') return this.#domains;
    return name === 'path' ? this.#paths : null;
  }
}

function pairs(rules: readonly RewriteRule[] | 'off'): { pattern: string; replacement: string }[] {
  return rules === 'off' ? [] : rules.filter((rule) => rule !== 'default');
}

/** A leading dot is left out, of the pattern and of what replaces it: `.example.org` and `example.org` mean the same. */
function compileDomain(pattern: string, replacement: string, variables: VariableCompiler): Rewriter {
  const template = variables.template(withoutDot(replacement));
  if (pattern.startsWith('~')) return regexRewriter(pattern.slice(1), true, template);
  return domainRewriter(variables.template(withoutDot(pattern)), template);
}

function withoutDot(domain: string): string {
  return domain.startsWith('.') ? domain.slice(1) : domain;
}

function compileFlags(cookie: string, flags: readonly string[], variables: VariableCompiler): FlagsRule {
  const templates = flags.map((flag) => variables.template(flag));
  const regex = regexOf(cookie);
  if (regex !== null) {
    const pattern = compilePattern(regex.source, { caseInsensitive: true });
    return { isFor: (_ex, name) => pattern.test(name), flags: templates };
  }
  const name = variables.template(cookie);
  return { isFor: (ex, given) => given.toLowerCase() === name.evaluate(ex).toLowerCase(), flags: templates };
}

function parseCookie(value: string): CookiePart[] {
  return value.split(';').map((text) => {
    const part = text.trim();
    const equals = part.indexOf('=');
    return equals < 0 ? { key: part, value: null } : { key: part.slice(0, equals), value: part.slice(equals + 1) };
  });
}

function writePart(part: CookiePart): string {
  return part.value === null ? part.key : `${part.key}=${part.value}`;
}

const SAMESITE: ReadonlyMap<string, string> = new Map([
  ['samesite=strict', 'Strict'],
  ['samesite=lax', 'Lax'],
  ['samesite=none', 'None'],
]);

function applyFlags(ex: Exchange, parts: CookiePart[], flags: readonly Template[]): boolean {
  const before = parts.map(writePart).join('; ');
  for (const template of flags) {
    const flag = template.evaluate(ex).toLowerCase();
    const samesite = SAMESITE.get(flag);
    if (flag === 'secure' || flag === 'httponly') setAttribute(parts, flag === 'secure' ? 'Secure' : 'HttpOnly', null);
    else if (samesite !== undefined) setAttribute(parts, 'SameSite', samesite);
    else if (flag === 'nosecure' || flag === 'nohttponly' || flag === 'nosamesite')
      removeAttribute(parts, flag.slice(2));
    else if (flag !== '')
      ex.location.errorLog.write('error', ex, `invalid proxy_cookie_flags flag "${template.evaluate(ex)}"`);
  }
  return parts.map(writePart).join('; ') !== before;
}

function setAttribute(parts: CookiePart[], name: string, value: string | null): void {
  const known = parts.findIndex((part, i) => i > 0 && part.key.toLowerCase() === name.toLowerCase());
  if (known < 0) parts.push({ key: name, value });
  else (parts[known] as CookiePart).value = value;
}

function removeAttribute(parts: CookiePart[], lowerName: string): void {
  for (let i = parts.length - 1; i > 0; i--) {
    if ((parts[i] as CookiePart).key.toLowerCase() === lowerName) parts.splice(i, 1);
  }
}
