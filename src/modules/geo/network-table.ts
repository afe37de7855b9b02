import { maskedAddress, type Network } from '../../http/network.ts';

/** Values by network, of one family: the longest prefix wins. */
export class NetworkTable {
  /** By length of the prefix, the longest first. */
  #levels: { readonly bits: number; readonly values: Map<string, string> }[] = [];

  /** The value that the address had before where exactly this network is there already; else null. */
  set({ network, bits }: Network, value: string): string | null {
    let level = this.#levels.find((one) => one.bits === bits);
    if (level === undefined) {
      level = { bits, values: new Map() };
      this.#levels = [...this.#levels, level].sort((a, b) => b.bits - a.bits);
    }
    const old = level.values.has(network) ? this.find(network) : null;
    level.values.set(network, value);
    return old;
  }

  /** False: there is no such network. */
  delete({ network, bits }: Network): boolean {
    return this.#levels.find((one) => one.bits === bits)?.values.delete(network) ?? false;
  }

  /** `address`: bytes in network order. Null: in no network. */
  find(address: string): string | null {
    for (const { bits, values } of this.#levels) {
      const value = values.get(maskedAddress(address, bits));
      if (value !== undefined) return value;
    }
    return null;
  }
}
