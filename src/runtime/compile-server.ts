import { LOCATION } from '../config/contexts.ts';
import type { Scope } from '../config/scope.ts';
import { capturingMatch } from '../http/capturing-match.ts';
import type { Location, VirtualServer } from '../http/location.ts';
import { type LocationLevel, LocationRouter, type RegexLocation, type StaticLocation } from '../http/route-location.ts';
import type { ServerTls } from '../http/tls.ts';
import { httpCoreModule } from '../modules/http-core/http-core-module.ts';
import { http2Module } from '../modules/http2/http2-module.ts';
import { serverTls } from '../modules/ssl/server-tls.ts';
import { sslModule } from '../modules/ssl/ssl-module.ts';
import { STAPLES } from '../net/ocsp/staple-plan.ts';
import { TLS_FILES } from '../net/tls-files.ts';
import { TLS_SESSIONS } from '../net/tls-sessions/session-plan.ts';
import { compileLocation, type LocationContext } from './compile-location.ts';

/** One `server` block with all its locations. */
export function compileServer(scope: Scope, context: LocationContext): VirtualServer {
  const conf = scope.conf(httpCoreModule);
  const own = compileLocation(scope, '', true, context);
  const namedLocations = new Map<string, Location>();
  const router = new LocationRouter(compileLevel(scope, namedLocations, context));
  return {
    name: serverName(conf.serverNames[0]?.[0]?.text ?? ''),
    settings: conf,
    defaultLocation: own.location,
    serverHandlers: own.serverHandlers,
    firstRewriteHandler: own.firstRewriteHandler,
    findLocation: (ex) => router.find(ex),
    namedLocations,
    tls: compileTls(scope, context),
    http2: scope.conf(http2Module),
  };
}

/** Null also where there is a finding. */
function compileTls(scope: Scope, { services, findings }: LocationContext): ServerTls | null {
  let tls: ServerTls | null = null;
  findings.collect(scope.pos, () => {
    tls = serverTls(scope.conf(sslModule), {
      files: services.get(TLS_FILES),
      sessions: services.get(TLS_SESSIONS),
      staples: services.get(STAPLES),
      warn: (text, pos) => findings.add('warn', text, pos),
    });
  });
  return tls;
}

/** `.example.com` is `example.com` when it is told. */
function serverName(text: string): string {
  return text.startsWith('.') ? text.slice(1) : text;
}

function compileLevel(scope: Scope, named: Map<string, Location>, context: LocationContext): LocationLevel {
  const statics: StaticLocation[] = [];
  const regexes: RegexLocation[] = [];
  for (const child of scope.childrenOf(LOCATION)) {
    const conf = child.conf(httpCoreModule).location;
    if (conf === null) continue; // its line was refused
    const { location } = compileLocation(child, conf.name, false, context);
    const nested = compileLevel(child, named, context);
    const isStatic = conf.kind === 'prefix' || conf.kind === 'exact';
    if (!isStatic || !conf.name.endsWith('/')) location.autoRedirect = false;
    if (conf.kind === 'named') {
      if (!named.has(conf.name)) named.set(conf.name, location);
    } else if (conf.pattern !== null) {
      const { pattern } = conf;
      context.findings.collect(child.pos, () => {
        regexes.push({ pattern: capturingMatch(pattern, context.variables, false), location, nested });
      });
    } else {
      statics.push({
        path: conf.name,
        isExact: conf.kind === 'exact',
        skipsRegexes: conf.skipsRegexes,
        location,
        nested,
      });
    }
  }
  return { statics, regexes };
}
