import { HTTP } from '../../config/contexts.ts';
import { directive } from '../../config/directive-spec.ts';
import type { Exchange } from '../../http/exchange.ts';
import { forwardedAddress } from '../../http/forwarded-address.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { clientBytes, parseAddress, unmapped } from '../../http/network.ts';
import type { VariableCompiler, VariableGetter } from '../../http/variable.ts';
import { type GeoConf, type GeoTables, inetNumber, parseGeo } from './geo-conf.ts';

export interface GeosConf {
  /** In the order of the file. */
  geos: readonly GeoConf[];
}

/** nginx's ngx_http_geo_module. */
export const geoModule: HttpModule<GeosConf> = {
  name: 'geo',
  defaults: () => ({ geos: [] }),
  rows: [
    directive<GeosConf>({
      name: 'geo',
      contexts: HTTP,
      args: [1, 2],
      block: 'raw',
      field: 'geos',
      repeat: 'append',
      parse: parseGeo,
      syntax: '[$address] $variable',
      doc: "A variable whose value hangs on the client's address: networks, or with `ranges` IPv4 ranges; `default`, `delete`, `proxy`, `proxy_recursive`, `volatile`.",
    }),
  ],
  compileHttp: ({ geos }, _scope, variables) => {
    for (const geo of geos) {
      variables.pos = geo.pos;
      const getter = compileGeo(geo, variables);
      variables.define({ name: geo.name, isVolatile: geo.isVolatile, compile: () => getter });
    }
  },
};

/** Where clients without an address lie (unix sockets, variables that hold none). */
const NO_ADDRESS = '\xff'.repeat(4);

function compileGeo({ source, tables, proxies, isRecursive }: GeoConf, variables: VariableCompiler): VariableGetter {
  const find = finder(tables);
  const trusted = { networks: proxies, trustsUnix: false };
  const given = source === null ? null : variables.variable(source);
  const speaker = (ex: Exchange): string | null => {
    if (given !== null) return parseAddress(given(ex) ?? '');
    return ex.connection.unixPath === '' ? clientBytes(ex.connection.remoteAddress) : null;
  };
  return (ex) => {
    const address = speaker(ex);
    if (address === null) return find(NO_ADDRESS);
    if (proxies.length === 0) return find(unmapped(address));
    const said = ex.request.headers.getAll('x-forwarded-for');
    const client = forwardedAddress(address, said, trusted, isRecursive)?.address ?? address;
    return find(unmapped(client));
  };
}

function finder(tables: GeoTables | null): (address: string) => string {
  if (tables === null) return () => '';
  if (tables.kind === 'networks') {
    const { inet, inet6 } = tables;
    return (address) => (address.length === 4 ? inet : inet6).find(address) ?? '';
  }
  const { ranges, fallback } = tables;
  return (address) => ranges.find(inetNumber(address)) ?? fallback ?? '';
}
