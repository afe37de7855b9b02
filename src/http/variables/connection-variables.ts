import { hostname } from 'node:os';
import { NGINX_VERSION } from '../../core/version.ts';
import type { ClientConnection } from '../client-stream.ts';
import { tlvReader } from '../proxy-protocol.ts';
import type { VariableDef, VariableGetter } from '../variable.ts';
import { addressBytes } from './address-bytes.ts';

/** nginx shows every client of a unix socket so. */
const UNIX = 'unix:';

function remoteAddress(connection: ClientConnection): string {
  return connection.unixPath === '' ? connection.remoteAddress : UNIX;
}

function portText(port: number | undefined): string | null {
  if (port === undefined) return null;
  return port === 0 ? '' : String(port);
}

/** `$proxy_protocol_tlv_NAME`. */
function tlvVariable(name: string): VariableGetter {
  const read = tlvReader(name);
  return (ex) => {
    const { proxyProtocol } = ex.connection;
    if (!proxyProtocol) return null;
    const value = read(proxyProtocol.tlvs);
    if (value === null || typeof value === 'string') return value;
    ex.location.errorLog.write('error', ex, value.failure);
    return null;
  };
}

const HOST_NAME = hostname().toLowerCase();

export const CONNECTION_VARIABLES: readonly VariableDef[] = [
  { name: 'remote_addr', compile: () => (ex) => remoteAddress(ex.connection) },
  {
    name: 'binary_remote_addr',
    compile: () => (ex) => (ex.connection.unixPath === '' ? addressBytes(ex.connection.remoteAddress) : UNIX),
  },
  {
    name: 'remote_port',
    compile:
      () =>
      ({ connection }) =>
        connection.unixPath === '' && connection.remotePort > 0 ? String(connection.remotePort) : '',
  },
  {
    name: 'server_addr',
    compile:
      () =>
      ({ connection }) =>
        connection.unixPath === '' ? connection.localAddress : UNIX + connection.unixPath,
  },
  {
    name: 'server_port',
    compile:
      () =>
      ({ connection }) =>
        connection.unixPath === '' && connection.localPort > 0 ? String(connection.localPort) : '',
  },
  { name: 'proxy_protocol_addr', compile: () => (ex) => ex.connection.proxyProtocol?.clientAddress ?? null },
  { name: 'proxy_protocol_port', compile: () => (ex) => portText(ex.connection.proxyProtocol?.clientPort) },
  { name: 'proxy_protocol_server_addr', compile: () => (ex) => ex.connection.proxyProtocol?.serverAddress ?? null },
  { name: 'proxy_protocol_server_port', compile: () => (ex) => portText(ex.connection.proxyProtocol?.serverPort) },
  { name: 'proxy_protocol_tlv_', isPrefix: true, compile: tlvVariable },
  { name: 'connection', compile: () => (ex) => String(ex.connection.id) },
  { name: 'connection_requests', compile: () => (ex) => String(ex.connection.requests) },
  { name: 'scheme', compile: () => (ex) => (ex.connection.isTls ? 'https' : 'http') },
  { name: 'https', compile: () => (ex) => (ex.connection.isTls ? 'on' : '') },
  { name: 'pid', compile: () => () => String(process.pid) },
  { name: 'hostname', compile: () => () => HOST_NAME },
  { name: 'nginx_version', compile: () => () => NGINX_VERSION },
];
