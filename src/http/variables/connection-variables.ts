import { hostname } from 'node:os';
import { NGINX_VERSION } from '../../core/version.ts';
import type { ClientConnection } from '../client-stream.ts';
import type { VariableDef } from '../variable.ts';
import { addressBytes } from './address-bytes.ts';

/** nginx shows every client of a unix socket so. */
const UNIX = 'unix:';

function remoteAddress(connection: ClientConnection): string {
  return connection.unixPath === '' ? connection.remoteAddress : UNIX;
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
  // Of connections that came by the PROXY protocol; none does yet.
  ...['addr', 'port', 'server_addr', 'server_port'].map((part) => ({
    name: `proxy_protocol_${part}`,
    compile: () => () => null,
  })),
  { name: 'connection', compile: () => (ex) => String(ex.connection.id) },
  { name: 'connection_requests', compile: () => (ex) => String(ex.connection.requests) },
  { name: 'scheme', compile: () => (ex) => (ex.connection.isTls ? 'https' : 'http') },
  { name: 'https', compile: () => (ex) => (ex.connection.isTls ? 'on' : '') },
  { name: 'pid', compile: () => () => String(process.pid) },
  { name: 'hostname', compile: () => () => HOST_NAME },
  { name: 'nginx_version', compile: () => () => NGINX_VERSION },
];
