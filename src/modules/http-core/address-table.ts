import { ConfigError } from '../../config/diagnostic.ts';
import type { Scope } from '../../config/scope.ts';
import type { ListenAddress } from '../../net/listen-address.ts';
import type { ListenConf } from './listen-conf.ts';

/** All that the servers of a configuration say about one address. */
export interface AddressEntry {
  /** With the options of the `listen` that sets them. */
  address: ListenAddress;
  readonly isWildcard: boolean;
  hasOptions: boolean;
  isBind: boolean;
  hasDefault: boolean;
  hasProxyProtocol: boolean;
  isTls: boolean;
  hasHttp2: boolean;
  defaultServer: Scope;
  /** In the order of the file. */
  readonly servers: Scope[];
}

/** Addresses in the order of the file, checked against each other as nginx does. */
export class AddressTable {
  readonly entries = new Map<string, AddressEntry>();

  /** Throws ConfigError: the same server twice, options twice, two default servers. */
  add(listen: ListenConf, server: Scope): void {
    const { text } = listen.address;
    const entry = this.entries.get(text);
    if (entry === undefined) {
      this.entries.set(text, {
        address: listen.address,
        isWildcard: listen.isWildcard,
        hasOptions: listen.hasOptions,
        isBind: listen.isBind,
        hasDefault: listen.isDefault,
        hasProxyProtocol: listen.hasProxyProtocol,
        isTls: listen.isTls,
        hasHttp2: listen.hasHttp2,
        defaultServer: server,
        servers: [server],
      });
      return;
    }
    if (entry.servers.includes(server)) throw new ConfigError(`a duplicate listen ${text}`, listen.pos);
    entry.servers.push(server);
    entry.hasProxyProtocol ||= listen.hasProxyProtocol;
    entry.isTls ||= listen.isTls;
    entry.hasHttp2 ||= listen.hasHttp2;
    if (listen.hasOptions) {
      if (entry.hasOptions) throw new ConfigError(`duplicate listen options for ${text}`, listen.pos);
      entry.hasOptions = true;
      entry.isBind = true;
      entry.address = listen.address;
    }
    if (listen.isDefault) {
      if (entry.hasDefault) throw new ConfigError(`a duplicate default server for ${text}`, listen.pos);
      entry.hasDefault = true;
      entry.defaultServer = server;
    }
  }
}
