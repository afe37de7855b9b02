import { HTTP_SCOPES } from '../../config/contexts.ts';
import { directive } from '../../config/directive-spec.ts';
import { timeMs } from '../../config/values.ts';
import { nowMs, turnMs } from '../../core/clock.ts';
import { Deadlines } from '../../core/deadlines.ts';
import type { HttpModule } from '../../http/http-module.ts';
import type { Location } from '../../http/location.ts';
import { NameResolver } from '../../upstream/name-resolver.ts';
import type { NameServers } from '../../upstream/name-servers.ts';
import { parseResolver } from './parse-resolver.ts';

export interface ResolverConf {
  /** Null: no name is looked up at run time. */
  servers: NameServers | null;
  /** `resolver_timeout`; 0 = no limit. */
  timeoutMs: number;
}

/** How a location looks names up. */
export interface NameLookup {
  readonly resolver: NameResolver;
  readonly timeoutMs: number;
}

/** `resolver` and `resolver_timeout`: for hosts that variables name. Whoever looks names up asks `nameLookup`. */
export const resolverModule: HttpModule<ResolverConf> = {
  name: 'resolver',
  defaults: () => ({ servers: null, timeoutMs: 30_000 }),
  rows: [
    directive<ResolverConf>({
      name: 'resolver',
      contexts: HTTP_SCOPES,
      args: [1, Number.POSITIVE_INFINITY],
      field: 'servers',
      parse: parseResolver,
      syntax: 'address … [valid=time] [ipv4=on|off] [ipv6=on|off] [status_zone=zone]',
      doc: 'Name servers for hosts in `proxy_pass` that variables make. An answer is used as long as its TTL says, or `valid=`. `status_zone=` has no effect.',
    }),
    directive<ResolverConf>({
      name: 'resolver_timeout',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'timeoutMs',
      parse: timeMs(),
      syntax: 'time',
      defaultText: '30s',
      doc: 'How long a request waits for a name to be resolved. 0: as long as it takes.',
    }),
  ],
  compileLocation: ({ servers, timeoutMs }, { location }) => {
    if (servers !== null) {
      location.compiled.set(resolverModule, { resolver: resolverOf(servers), timeoutMs } satisfies NameLookup);
    }
  },
};

/** What the location's `resolver` says; null: there is none. */
export function nameLookup(location: Location): NameLookup | null {
  return (location.compiled.get(resolverModule) as NameLookup | undefined) ?? null;
}

/** One for each directive, shared by all locations that it holds for. */
const resolvers = new WeakMap<NameServers, NameResolver>();
const deadlines = new Deadlines(nowMs);

function resolverOf(conf: NameServers): NameResolver {
  let resolver = resolvers.get(conf);
  if (resolver === undefined) {
    resolver = new NameResolver({ conf, deadlines, now: turnMs });
    resolvers.set(conf, resolver);
  }
  return resolver;
}
