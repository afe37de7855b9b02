import { LOCATION, SERVER } from '../../config/contexts.ts';
import { ConfigError } from '../../config/diagnostic.ts';
import { type DirectiveUse, directive } from '../../config/directive-spec.ts';
import type { Scope } from '../../config/scope.ts';
import type { Exchange } from '../../http/exchange.ts';
import { HostTable } from '../../http/host-table.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { HEADER_ID } from '../../http/known-header.ts';
import { compilePattern } from '../../http/pcre/compile-pattern.ts';
import { httpCoreModule } from '../http-core/http-core-module.ts';
import { isValidReferer, type ValidReferers } from './referer-check.ts';

/** What the `valid_referers` of one block say. */
interface RefererWords extends ValidReferers {
  none: boolean;
  blocked: boolean;
  hasServerNames: boolean;
}

export interface RefererConf {
  /** Null: nothing was said, every referrer is valid. Inherited as a whole. */
  valid: RefererWords | null;
}

/** nginx's ngx_http_referer_module. */
export const refererModule: HttpModule<RefererConf> = {
  name: 'referer',
  defaults: () => ({ valid: null }),
  rows: [
    directive<RefererConf>({
      name: 'valid_referers',
      contexts: SERVER | LOCATION,
      args: [1, Number.POSITIVE_INFINITY],
      apply: (conf, use) => {
        conf.valid ??= {
          none: false,
          blocked: false,
          hasServerNames: false,
          hosts: new HostTable(),
          serverNames: [],
          regexes: [],
        };
        for (const text of use.args) readReferer(conf.valid, text, use);
      },
      syntax: 'none | blocked | server_names | host[/path] | ~regex …',
      doc: 'Referrers for which `$invalid_referer` is empty; for all others it is 1.',
    }),
  ],
  finish: (_merged, own, scope) => {
    if (own.valid === undefined || own.valid === null) return;
    const { none, blocked, hosts, hasServerNames } = own.valid;
    if (hasServerNames) addServerNames(own.valid, scope);
    if ((none || blocked) && hosts.size === 0) {
      throw new ConfigError(
        'the "none" or "blocked" referers are specified in the "valid_referers" directive without any valid referer',
      );
    }
  },
  compileHttp: (_conf, _scope, variables) => {
    variables.define({ name: 'invalid_referer', compile: () => invalidReferer });
  },
  compileLocation: ({ valid }, { location }) => {
    if (valid !== null) location.compiled.set(refererModule, valid);
  },
};

function invalidReferer(ex: Exchange): string {
  const valid = ex.location.compiled.get(refererModule) as ValidReferers | undefined;
  if (valid === undefined) return '';
  const { headers } = ex.request;
  const at = headers.find(HEADER_ID.referer);
  return isValidReferer(valid, at < 0 ? null : headers.value(at)) ? '' : '1';
}

function readReferer(into: RefererWords, text: string, use: DirectiveUse): void {
  if (text === '') use.fail(`invalid referer "${text}"`);
  if (text === 'none') {
    into.none = true;
  } else if (text === 'blocked') {
    into.blocked = true;
  } else if (text === 'server_names') {
    into.hasServerNames = true;
  } else if (text.startsWith('~')) {
    if (text === '~') use.fail(`empty regex in "${text}"`);
    into.regexes.push(compilePattern(text.slice(1), { caseInsensitive: true }));
  } else {
    const slash = text.indexOf('/');
    addHost(into, slash < 0 ? text : text.slice(0, slash), slash < 0 ? '' : text.slice(slash));
  }
}

function addHost({ hosts }: RefererWords, host: string, path: string): void {
  const result = hosts.add(host, path);
  if (result === 'invalid') throw new ConfigError(`invalid hostname or wildcard "${host}"`);
  if (result === 'conflict') throw new ConfigError(`conflicting parameter "${host}"`);
}

/** A server without a name has the empty one. */
function addServerNames(into: RefererWords, scope: Scope): void {
  const names = serverOf(scope).conf(httpCoreModule).serverNames.flat();
  if (names.length === 0) addHost(into, '', '');
  for (const { text, pattern } of names) {
    if (pattern === null) addHost(into, text, '');
    else into.serverNames.push(pattern);
  }
}

function serverOf(scope: Scope): Scope {
  return scope.context === SERVER || scope.parent === null ? scope : serverOf(scope.parent);
}
