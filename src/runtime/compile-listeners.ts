import { SERVER } from '../config/contexts.ts';
import { ConfigError, hasEmerg } from '../config/diagnostic.ts';
import type { Scope } from '../config/scope.ts';
import { capturingMatch } from '../http/capturing-match.ts';
import type { ServerGroup, VirtualServer } from '../http/location.ts';
import { NamedServers, type ServerName } from '../http/route-server.ts';
import type { VariableCompiler } from '../http/variable.ts';
import { type AddressEntry, AddressTable } from '../modules/http-core/address-table.ts';
import { httpCoreModule } from '../modules/http-core/http-core-module.ts';
import type { ListenConf } from '../modules/http-core/listen-conf.ts';
import { DEFAULT_BACKLOG } from '../modules/http-core/parse-listen.ts';
import type { ServerNameConf } from '../modules/http-core/server-name-conf.ts';
import type { Findings } from './findings.ts';
import type { Listener } from './runtime.ts';

/** A server without `server_name` has the empty name: it answers requests without a host. */
const EMPTY_NAME: readonly ServerNameConf[] = [{ text: '', pattern: null }];

/** The sockets of an http block. `compiled`: its servers. */
export function compileListeners(
  http: Scope,
  compiled: ReadonlyMap<Scope, VirtualServer>,
  variables: VariableCompiler,
  findings: Findings,
): Listener[] {
  const { entries } = addressTable(http, findings);
  const listeners: Listener[] = [];
  const wildcards = new Map<string, AddressEntry>();
  for (const entry of entries.values()) if (entry.isWildcard) wildcards.set(portKey(entry), entry);
  // An address beside a wildcard of its port shares the wildcard's socket, unless it asked for one of its own.
  const sharing = new Map<AddressEntry, Map<string, ServerGroup>>();
  for (const entry of entries.values()) {
    if (entry.isTls && !hasEmerg(findings.diagnostics))
      findings.collect(null, () => checkCertificates(entry, compiled));
    const wildcard = wildcards.get(portKey(entry));
    const group = compileGroup(entry, compiled, variables, findings);
    if (wildcard === undefined || wildcard === entry || entry.isBind) {
      const byLocalAddress = sharing.get(entry) ?? new Map<string, ServerGroup>();
      sharing.set(entry, byLocalAddress);
      listeners.push({ address: entry.address, group, byLocalAddress });
    } else {
      const shared = sharing.get(wildcard) ?? new Map<string, ServerGroup>();
      sharing.set(wildcard, shared.set(entry.address.host, group));
    }
  }
  return listeners.map((one) => (one.byLocalAddress?.size === 0 ? { ...one, byLocalAddress: null } : one));
}

/** nginx: the default server of a TLS address has a certificate; where it refuses handshakes, each of the others. */
function checkCertificates(entry: AddressEntry, compiled: ReadonlyMap<Scope, VirtualServer>): void {
  const isBare = (scope: Scope): boolean => {
    const { tls } = serverOf(scope, compiled);
    return tls === null || (tls.means === null && !tls.rejectsHandshake);
  };
  const first = serverOf(entry.defaultServer, compiled).tls;
  const mayReject = first !== null && first.means === null && first.rejectsHandshake;
  const bare = (mayReject ? entry.servers : [entry.defaultServer]).find(isBare);
  if (bare === undefined) return;
  throw new ConfigError('no "ssl_certificate" is defined for the "listen ... ssl" directive', bare.pos);
}

function addressTable(http: Scope, findings: Findings): AddressTable {
  const table = new AddressTable();
  for (const server of http.childrenOf(SERVER)) {
    const { listens } = server.conf(httpCoreModule);
    const all = listens.length === 0 ? [implicitListen()] : listens.flat();
    for (const listen of all) findings.collect(server.pos, () => table.add(listen, server));
  }
  return table;
}

function portKey({ address }: AddressEntry): string {
  return address.family === 'unix' ? address.text : `${address.family} ${address.port}`;
}

/** A server without `listen`. */
function implicitListen(): ListenConf {
  const port = process.geteuid?.() === 0 ? 80 : 8000;
  return {
    address: {
      text: `0.0.0.0:${port}`,
      family: 'inet',
      host: '0.0.0.0',
      port,
      path: '',
      backlog: DEFAULT_BACKLOG,
      isIpv6Only: true,
      isReusePort: false,
    },
    isWildcard: true,
    isDefault: false,
    hasOptions: false,
    isBind: false,
    hasProxyProtocol: false,
    isTls: false,
    hasHttp2: false,
    pos: null,
  };
}

function compileGroup(
  entry: AddressEntry,
  compiled: ReadonlyMap<Scope, VirtualServer>,
  variables: VariableCompiler,
  findings: Findings,
): ServerGroup {
  const group = new NamedServers(
    serverOf(entry.defaultServer, compiled),
    entry.hasProxyProtocol,
    entry.isTls,
    entry.hasHttp2,
  );
  const hasCaptures = namesOf(entry.defaultServer).some(({ pattern }) => (pattern?.captureCount ?? 0) > 0);
  // One server answers whatever the name; nginx does not even look at the names then.
  if (entry.servers.length === 1 && !hasCaptures) return group;
  for (const scope of entry.servers) {
    const server = serverOf(scope, compiled);
    for (const conf of namesOf(scope)) {
      findings.collect(scope.pos, () => {
        const name = compileName(conf, entry.address.text, variables);
        if (group.add(name, server)) return;
        findings.add('warn', `conflicting server name "${conf.text}" on ${entry.address.text}, ignored`, null);
      });
    }
  }
  return group;
}

function namesOf(server: Scope): readonly ServerNameConf[] {
  const { serverNames } = server.conf(httpCoreModule);
  return serverNames.length === 0 ? EMPTY_NAME : serverNames.flat();
}

function serverOf(scope: Scope, compiled: ReadonlyMap<Scope, VirtualServer>): VirtualServer {
  const server = compiled.get(scope);
  if (server === undefined) throw new Error('a server was not compiled');
  return server;
}

function compileName({ text, pattern }: ServerNameConf, address: string, variables: VariableCompiler): ServerName {
  if (pattern !== null) return { kind: 'regex', pattern: capturingMatch(pattern, variables, true) };
  if (text.includes('..')) throw invalidName(text, address);
  if (text.length > 1 && text.startsWith('.')) return leading(text.slice(1), true, text, address);
  if (text.length > 2 && text.startsWith('*.')) return leading(text.slice(2), false, text, address);
  const isTrailing = text.length > 2 && text.endsWith('.*');
  const fixed = isTrailing ? text.slice(0, -2) : text;
  if (fixed.includes('*')) throw invalidName(text, address);
  return isTrailing ? { kind: 'trailing', prefix: fixed } : { kind: 'exact', name: text };
}

function leading(suffix: string, matchesBare: boolean, text: string, address: string): ServerName {
  if (suffix.includes('*')) throw invalidName(text, address);
  return { kind: 'leading', suffix, matchesBare };
}

function invalidName(text: string, address: string): ConfigError {
  return new ConfigError(`invalid server name or wildcard "${text}" on ${address}`);
}
