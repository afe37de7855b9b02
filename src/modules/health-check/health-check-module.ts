import { HTTP, LOCATION, SERVER } from '../../config/contexts.ts';
import { ConfigError } from '../../config/diagnostic.ts';
import { directive } from '../../config/directive-spec.ts';
import type { Scope } from '../../config/scope.ts';
import { strerror } from '../../core/strerror.ts';
import type { HttpModule, LocationBuild } from '../../http/http-module.ts';
import { TLS_FILES, type TlsFiles } from '../../net/tls-files.ts';
import { HEALTH_PLAN } from '../../probe/health-plan.ts';
import type { UpstreamGroup } from '../../upstream/upstream-group.ts';
import { UPSTREAMS } from '../../upstream/upstream-registry.ts';
import { httpCoreModule } from '../http-core/http-core-module.ts';
import { parseBindAddress } from '../proxy/bind-address.ts';
import type { Destination } from '../proxy/pass-to.ts';
import { LocationTls } from '../proxy/peer-tls.ts';
import { proxyModule } from '../proxy/proxy.ts';
import type { ProxyConf } from '../proxy/proxy-conf.ts';
import { defaultPort, hasVariables, parseProxyUrl } from '../proxy/proxy-url.ts';
import { RequestFields } from '../proxy/request-fields.ts';
import { type HealthCheckLine, parseHealthCheck } from './health-check-line.ts';
import { makeProbe } from './make-probe.ts';
import { type MatchBlock, parseMatch } from './match-block.ts';

export interface HealthCheckConf {
  checks: readonly HealthCheckLine[];
  matches: readonly MatchBlock[];
}

/** nginx Plus's ngx_http_upstream_hc_module, and checks of TCP, PostgreSQL and Redis. */
export const healthCheckModule: HttpModule<HealthCheckConf> = {
  name: 'health_check',
  defaults: () => ({ checks: [], matches: [] }),
  rows: [
    directive<HealthCheckConf>({
      name: 'health_check',
      contexts: LOCATION,
      args: [0, Number.POSITIVE_INFINITY],
      field: 'checks',
      repeat: 'append',
      inherit: 'none',
      parse: parseHealthCheck,
      syntax:
        '[interval=5s] [jitter=0] [fails=1] [passes=1] [uri=/] [port=] [match=name] [mandatory [persistent]] [keepalive_time=0] [type=http | tcp | postgres | redis] [user= dbname= password_file= role= max_lag= max_lag_bytes=]',
      doc: "The peers of this location's `proxy_pass` are asked again and again, with the fields and the TLS of the location; one that fails gets no requests until it passes. The group needs a `zone`. `mandatory`: not before its first pass either. States outlive reloads, `persistent` or not. The parameters from `user=` on are for PostgreSQL and Redis.",
    }),
    directive<HealthCheckConf>({
      name: 'match',
      contexts: HTTP,
      args: 1,
      block: 'raw',
      field: 'matches',
      repeat: 'append',
      parse: (use) => {
        const known = use.scope.own(healthCheckModule).matches ?? [];
        return parseMatch(use, (name) => known.some((match) => match.name === name));
      },
      syntax: 'name',
      doc: 'What an answer must be for a check to pass: `status [!] code | from-to …`, `header [!] name [= | != | ~ | !~ value]`, `body ~ | !~ pattern`, `require $variable …`; for `type=tcp`: `send text`, `expect [~] text`, with bytes as `\\x0d`.',
    }),
  ],
  compileLocation: ({ checks, matches }, build) => {
    for (const line of checks) {
      build.variables.pos = line.pos;
      planCheck(line, matches, build);
    }
  },
};

function planCheck(line: HealthCheckLine, matches: readonly MatchBlock[], build: LocationBuild): void {
  const { scope, services, variables } = build;
  const proxy = scope.conf(proxyModule);
  const { group, destination } = destinationOf(proxy, line, build);
  const match = line.match === '' ? null : findMatch(line, matches);
  const files = services.get(TLS_FILES);
  const tls = destination.isTls ? new LocationTls(proxy, files, variables) : null;
  const fields = new RequestFields(proxy.setHeaders ?? [], false, variables);
  const requires = (match?.requires ?? []).map(({ text, pos }) => {
    variables.pos = pos;
    return variables.template(text);
  });
  variables.pos = line.pos;
  const password = line.passwordFile === '' ? '' : readPassword(line, files);
  services.get(HEALTH_PLAN).add({
    key: [group.name, proxy.pass, line.text, match?.text ?? ''].join('\0'),
    name: line.match,
    group,
    port: line.port,
    intervalMs: line.intervalMs,
    jitterMs: line.jitterMs,
    rule: { fails: line.fails, passes: line.passes },
    isMandatory: line.isMandatory,
    makeProbe: () =>
      makeProbe({
        line,
        match,
        requires,
        request: { location: build.location, serverName: serverNameOf(scope), destination, uri: line.uri },
        fields,
        tls,
        localAddress: proxy.bind === null ? null : (parseBindAddress(proxy.bind)?.address ?? null),
        connectTimeoutMs: proxy.connectTimeoutMs,
        readTimeoutMs: proxy.readTimeoutMs,
        password,
      }),
  });
}

function destinationOf(
  { pass }: ProxyConf,
  line: HealthCheckLine,
  { services }: LocationBuild,
): { group: UpstreamGroup; destination: Destination } {
  if (pass === null) throw new ConfigError('no "proxy_pass" in the location of "health_check"', line.pos);
  if (hasVariables(pass)) {
    throw new ConfigError('"health_check" cannot be used where "proxy_pass" has variables', line.pos);
  }
  const url = parseProxyUrl(pass);
  const group = services.get(UPSTREAMS).forPass(url.authority, defaultPort(url));
  if (!group.isZoned) {
    throw new ConfigError(`"health_check" requires a "zone" in upstream "${group.name}"`, line.pos);
  }
  const { host, port, isTls, uri } = url;
  return { group, destination: { group, name: null, host, port, isTls, uri } };
}

function findMatch(line: HealthCheckLine, matches: readonly MatchBlock[]): MatchBlock {
  const match = matches.find(({ name }) => name === line.match);
  if (match === undefined) throw new ConfigError(`unknown match "${line.match}"`, line.pos);
  const isOfTcp = match.send !== '' || match.expect !== null;
  if (isOfTcp !== (line.type === 'tcp')) {
    throw new ConfigError(`match "${line.match}" is not for health checks of type "${line.type}"`, line.pos);
  }
  return match;
}

/** The file's first line. */
function readPassword(line: HealthCheckLine, files: TlsFiles): string {
  const name = files.named(line.passwordFile);
  try {
    return files.read(name).toString('utf8').split(/\r?\n/, 1)[0] ?? '';
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new ConfigError(`open() "${name}" failed (${strerror(code)})`, line.pos);
  }
}

function serverNameOf(scope: Scope): string {
  if (scope.context === SERVER) return scope.conf(httpCoreModule).serverNames[0]?.[0]?.text.replace(/^\./, '') ?? '';
  return scope.parent === null ? '' : serverNameOf(scope.parent);
}
