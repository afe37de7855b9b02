import { HTTP_SCOPES } from '../../config/contexts.ts';
import { type DirectiveUse, directive } from '../../config/directive-spec.ts';
import { text } from '../../config/values.ts';
import { addressTextOf } from '../../http/address-text.ts';
import type { Exchange } from '../../http/exchange.ts';
import { forwardedAddress, type TrustedProxies } from '../../http/forwarded-address.ts';
import { lowerCase } from '../../http/host-name.ts';
import type { HttpModule } from '../../http/http-module.ts';
import { NEXT, type PhaseHandler } from '../../http/location.ts';
import { type Network, parseNetwork } from '../../http/network.ts';
import { addressBytes } from '../../http/variables/address-bytes.ts';
import { resolveHost } from '../http-core/resolve-host.ts';
import { RealClient } from './real-client.ts';

/** Whom to believe, and where it stands. */
export interface RealIpConf {
  /** One entry per `set_real_ip_from`; 'unix' = clients of unix sockets. */
  from: readonly ('unix' | readonly Network[])[];
  /** Name of a field; `proxy_protocol` = the connection's header. */
  header: string;
  isRecursive: boolean;
}

const PROXY_PROTOCOL = 'proxy_protocol';
/** As nginx: only in this spelling do all its fields count. */
const FORWARDED_FOR = 'X-Forwarded-For';

/** `set_real_ip_from` and kin: the client's address as a trusted proxy tells it takes the place of the proxy's, everywhere. */
export const realIpModule: HttpModule<RealIpConf> = {
  name: 'realip',
  defaults: () => ({ from: [], header: 'X-Real-IP', isRecursive: false }),
  rows: [
    directive<RealIpConf>({
      name: 'set_real_ip_from',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'from',
      repeat: 'append',
      parse: parseFrom,
      syntax: 'address | CIDR | hostname | unix:',
      doc: 'Proxies that are believed when they tell the address of a client.',
    }),
    directive<RealIpConf>({
      name: 'real_ip_header',
      contexts: HTTP_SCOPES,
      args: 1,
      field: 'header',
      parse: text,
      syntax: 'field | X-Real-IP | X-Forwarded-For | proxy_protocol',
      defaultText: 'X-Real-IP',
      doc: "The request's field, or the PROXY protocol header, that tells the address.",
    }),
    directive<RealIpConf>({
      name: 'real_ip_recursive',
      contexts: HTTP_SCOPES,
      args: 'flag',
      field: 'isRecursive',
      syntax: 'on | off',
      defaultText: 'off',
      doc: 'Of several addresses the last one counts, or with `on` the last one that is no trusted proxy’s.',
    }),
  ],
  variables: [
    { name: 'realip_remote_addr', compile: () => (ex) => acceptedFrom(ex).remoteAddress },
    {
      name: 'realip_remote_port',
      compile: () => (ex) => {
        const { unixPath, remotePort } = acceptedFrom(ex);
        return unixPath === '' && remotePort > 0 ? String(remotePort) : '';
      },
    },
  ],
  compileLocation: (conf, build) => {
    if (conf.from.length === 0) return;
    const handler = realIpHandler(conf);
    // By the server's settings first; where they say nothing, by the location's.
    build.addPhase('post-read', handler);
    build.addPhase('preaccess', handler);
  },
};

function parseFrom(use: DirectiveUse): 'unix' | readonly Network[] {
  const said = text(use);
  if (said === 'unix:') return 'unix';
  const network = parseNetwork(said);
  if (network?.hasLowBits === true) use.warn(`low address bits of ${said} are meaningless`);
  if (network !== null) return [network];
  const addresses = said === '' || said.includes('/') ? [] : resolveHost(said);
  if (addresses.length === 0) use.fail(`host not found in ${use.name} "${said}"`);
  return addresses.map(addressBytes).map((bytes) => ({ network: bytes, bits: bytes.length * 8 }));
}

function realIpHandler({ from, header, isRecursive }: RealIpConf): PhaseHandler {
  const trusted: TrustedProxies = {
    networks: from.flatMap((one) => (one === 'unix' ? [] : one)),
    trustsUnix: from.includes('unix'),
  };
  return (ex) => {
    const { connection } = ex;
    if (connection instanceof RealClient) return NEXT;
    const said = addressesSaid(ex, header);
    if (said.length === 0) return NEXT;
    const speaker = connection.unixPath === '' ? addressBytes(connection.remoteAddress) : null;
    const real = forwardedAddress(speaker, said, trusted, isRecursive);
    if (real === null) return NEXT;
    const port = header === PROXY_PROTOCOL ? (connection.proxyProtocol?.clientPort ?? 0) : real.port;
    ex.connection = new RealClient(connection, addressTextOf(real.address), port);
    return NEXT;
  };
}

/** Values of the field, in their order: all of X-Forwarded-For, the first of any other. */
function addressesSaid(ex: Exchange, header: string): string[] {
  if (header === PROXY_PROTOCOL) {
    const { proxyProtocol } = ex.connection;
    return proxyProtocol === null ? [] : [proxyProtocol.clientAddress];
  }
  const { headers } = ex.request;
  if (header === FORWARDED_FOR) return headers.getAll(lowerCase(header));
  const value = headers.get(lowerCase(header));
  return value === null ? [] : [value];
}

function acceptedFrom({ connection }: Exchange): Exchange['connection'] {
  return connection instanceof RealClient ? connection.behind : connection;
}
