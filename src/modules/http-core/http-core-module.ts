import { HTTP, LOCATION, MAIN, SERVER } from '../../config/contexts.ts';
import { ConfigError } from '../../config/diagnostic.ts';
import { directive } from '../../config/directive-spec.ts';
import type { Scope } from '../../config/scope.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { staticContent } from '../static/static-content.ts';
import { AddressTable } from './address-table.ts';
import { compileFileRoot, FILE_VARIABLES } from './file-root.ts';
import { fileRows } from './file-rows.ts';
import { type HttpCoreConf, httpCoreDefaults } from './http-core-conf.ts';
import { compileLimitExcept, limitExceptRow } from './limit-except.ts';
import { type LocationConf, parseLocation } from './location-conf.ts';
import { parseListen } from './parse-listen.ts';
import { requestRows } from './request-rows.ts';
import { responseRows } from './response-rows.ts';
import { parseServerNames } from './server-name-conf.ts';

const row = directive<HttpCoreConf>;

/** What nginx's ngx_http_core_module says: blocks, addresses, names, limits and times of requests. */
export const httpCoreModule: HttpModule<HttpCoreConf> = {
  name: 'http-core',
  defaults: httpCoreDefaults,
  rows: [
    row({
      name: 'http',
      contexts: MAIN,
      args: 0,
      block: HTTP,
      repeat: 'error',
      doc: 'The block for everything that concerns HTTP.',
    }),
    row({
      name: 'server',
      contexts: HTTP,
      args: 0,
      block: SERVER,
      doc: 'A virtual server: what is answered for certain addresses and names.',
    }),
    row({
      name: 'location',
      contexts: SERVER | LOCATION,
      args: [1, 2],
      block: LOCATION,
      syntax: '[ = | ~ | ~* | ^~ ] uri | @name',
      apply: (conf, use) => {
        const scope = use.opened ?? use.scope;
        const location = parseLocation(use, conf.location ?? null, (other) => isTaken(use.scope, other));
        scope.own<HttpCoreConf>(httpCoreModule).location = location;
      },
      doc: 'Settings for requests by their path: exactly (`=`), by prefix (`^~`: no regex is tried then), by regex (`~`, `~*` without regard to case); `@name` is for internal redirects.',
    }),
    row({
      name: 'listen',
      contexts: SERVER,
      args: [1, Number.POSITIVE_INFINITY],
      field: 'listens',
      repeat: 'append',
      inherit: 'none',
      parse: (use) => {
        const listens = parseListen(use);
        const addresses = addressesOf(use.scope.parent ?? use.scope);
        for (const listen of listens) addresses.add(listen, use.scope);
        return listens;
      },
      syntax:
        'address[:port] | port | unix:path [default_server] [proxy_protocol] [backlog=number] [ipv6only=on|off] [reuseport] [bind] [ssl] [http2] …',
      defaultText: '*:80 | *:8000',
      doc: 'An address that the server answers on; without any, port 80, or 8000 when not started by root. `rcvbuf`, `sndbuf`, `fastopen`, `deferred` and `so_keepalive` are checked and have no effect.',
    }),
    row({
      name: 'server_name',
      contexts: SERVER,
      args: [1, Number.POSITIVE_INFINITY],
      field: 'serverNames',
      repeat: 'append',
      inherit: 'none',
      parse: parseServerNames,
      syntax: 'name …',
      defaultText: '""',
      doc: 'Hosts that the server answers for: exact names, `*.example.com`, `www.example.*`, `.example.com` (with and without subdomain), `~regex`. The first name is the one that redirects use.',
    }),
    limitExceptRow,
    ...requestRows,
    ...responseRows,
    ...fileRows,
  ],
  finish: (merged, own) => {
    // A location within the location has none.
    merged.limitExceptMethods = own.limitExceptMethods ?? null;
    if (merged.largeHeaderBuffers.bytes < merged.connectionPoolBytes) {
      throw new ConfigError(
        'the "large_client_header_buffers" size must be equal to or greater than "connection_pool_size"',
      );
    }
  },
  variables: FILE_VARIABLES,
  compileLocation: (conf, build) => {
    const { location, variables } = build;
    location.isInternal = conf.isInternal;
    location.satisfiesAny = conf.satisfy === 'any';
    compileLimitExcept(conf.limitExceptMethods, build);
    if (conf.limitRateText !== null) location.limitRate = variables.template(conf.limitRateText);
    if (conf.limitRateAfterText !== null) location.limitRateAfter = variables.template(conf.limitRateAfterText);
    const root = compileFileRoot(conf, build);
    const index = conf.index.map((name) => variables.template(name));
    build.setContent(staticContent({ root, index }));
  },
};

const addressTables = new WeakMap<Scope, AddressTable>();

/** The table in which the `listen`s of a configuration meet while it is read. */
function addressesOf(http: Scope): AddressTable {
  let table = addressTables.get(http);
  if (table === undefined) {
    table = new AddressTable();
    addressTables.set(http, table);
  }
  return table;
}

const takenPaths = new WeakMap<Scope, Set<string>>();

/** Whether the block has a location of this path already; from now on it has. Regexes and named ones may repeat, as in nginx. */
function isTaken(scope: Scope, location: LocationConf): boolean {
  if (location.kind === 'regex' || location.kind === 'named') return false;
  let taken = takenPaths.get(scope);
  if (taken === undefined) {
    taken = new Set();
    takenPaths.set(scope, taken);
  }
  const key = `${location.kind} ${location.name}`;
  if (taken.has(key)) return true;
  taken.add(key);
  return false;
}
