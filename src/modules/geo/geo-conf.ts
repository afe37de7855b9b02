import { ConfigError } from '../../config/diagnostic.ts';
import type { DirectiveUse } from '../../config/directive-spec.ts';
import { rawLines } from '../../config/raw-block.ts';
import type { Directive, SourcePos } from '../../config/tree.ts';
import { variableName } from '../../config/variable-name.ts';
import { type Network, parseAddress, parseNetwork } from '../../http/network.ts';
import { NetworkTable } from './network-table.ts';
import { RangeTable } from './range-table.ts';

/** What addresses lie in: with `ranges` IPv4 ranges, otherwise networks. */
export type GeoTables =
  | { readonly kind: 'ranges'; fallback: string | null; readonly ranges: RangeTable }
  | { readonly kind: 'networks'; readonly inet: NetworkTable; readonly inet6: NetworkTable };

/** `geo [$address] $name { … }`. */
export interface GeoConf {
  /** Variable that gives the address; null: the client's. */
  readonly source: string | null;
  readonly name: string;
  readonly pos: SourcePos;
  tables: GeoTables | null;
  /** `proxy`: whose X-Forwarded-For counts. */
  readonly proxies: Network[];
  isRecursive: boolean;
  isVolatile: boolean;
}

export function parseGeo(use: DirectiveUse): GeoConf {
  const [first = '', second] = use.args;
  const firstName = variableName(use, first);
  const geo: GeoConf = {
    source: second === undefined ? null : firstName,
    name: second === undefined ? firstName : variableName(use, second),
    pos: use.pos,
    tables: null,
    proxies: [],
    isRecursive: false,
    isVolatile: false,
  };
  for (const line of rawLines(use)) new GeoLine(geo, line, use).read();
  return geo;
}

class GeoLine {
  readonly #geo: GeoConf;
  readonly #line: Directive;
  readonly #use: DirectiveUse;

  constructor(geo: GeoConf, line: Directive, use: DirectiveUse) {
    this.#geo = geo;
    this.#line = line;
    this.#use = use;
  }

  read(): void {
    const geo = this.#geo;
    const { name: word, args } = this.#line;
    if (args.length === 0) {
      if (word === 'ranges') return this.#useRanges();
      if (word === 'proxy_recursive') return void (geo.isRecursive = true);
      if (word === 'volatile') return void (geo.isVolatile = true);
    }
    const [value] = args;
    if (value === undefined || args.length !== 1) return this.#fail('invalid number of the geo parameters');
    if (word === 'proxy') {
      geo.proxies.push(this.#network(value));
      return;
    }
    geo.tables ??= { kind: 'networks', inet: new NetworkTable(), inet6: new NetworkTable() };
    if (geo.tables.kind === 'ranges') this.#range(geo.tables, word, value);
    else this.#addNetwork(geo.tables, word, value);
  }

  #fail(text: string): never {
    throw new ConfigError(text, this.#line.pos);
  }

  #warn(text: string): void {
    this.#use.warn(text, this.#line.pos);
  }

  #useRanges(): void {
    const geo = this.#geo;
    if (geo.tables?.kind === 'networks') {
      this.#fail('the "ranges" directive must be the first directive inside "geo" block');
    }
    geo.tables ??= { kind: 'ranges', fallback: null, ranges: new RangeTable() };
  }

  #network(text: string): Network {
    if (text === '255.255.255.255') return { network: '\xff\xff\xff\xff', bits: 32 };
    const parsed = parseNetwork(text) ?? this.#fail(`invalid network "${text}"`);
    if (parsed.hasLowBits) this.#warn(`low address bits of ${text} are meaningless`);
    return parsed;
  }

  #addNetwork(tables: GeoTables & { kind: 'networks' }, word: string, value: string): void {
    const { inet, inet6 } = tables;
    const add = (table: NetworkTable, network: Network): void => {
      const old = table.set(network, value);
      if (old !== null) this.#warn(`duplicate network "${word}", value: "${value}", old value: "${old}"`);
    };
    if (word === 'default') {
      add(inet, ANY_INET);
      add(inet6, ANY_INET6);
      return;
    }
    const isDelete = word === 'delete';
    const network = this.#network(isDelete ? value : word);
    const table = network.network.length === 4 ? inet : inet6;
    if (!isDelete) add(table, network);
    else if (!table.delete(network)) this.#warn(`no network "${value}" to delete`);
  }

  #range(tables: GeoTables & { kind: 'ranges' }, word: string, value: string): void {
    if (word === 'default') {
      const old = tables.fallback;
      if (old !== null) this.#warn(`duplicate default geo range value: "${value}", old value: "${old}"`);
      tables.fallback = value;
      return;
    }
    const isDelete = word === 'delete';
    const text = isDelete ? value : word;
    const { start, end } = parseRange(text) ?? this.#fail(`invalid range "${text}"`);
    if (isDelete) {
      if (!tables.ranges.delete(start, end)) this.#warn(`no address range "${text}" to delete`);
      return;
    }
    for (const result of tables.ranges.add(start, end, value)) {
      if (result.kind === 'replaced') {
        this.#warn(`duplicate range "${text}", value: "${value}", old value: "${result.old}"`);
      } else if (result.kind === 'overlap') {
        this.#fail(`range "${text}" overlaps "${dotted(result.start)}-${dotted(result.end)}"`);
      }
    }
  }
}

const ANY_INET: Network = { network: '\0'.repeat(4), bits: 0 };
const ANY_INET6: Network = { network: '\0'.repeat(16), bits: 0 };
/** 255.255.255.255, which nginx's parser of addresses can't tell from a failure. */
const NONE = 0xffff_ffff;

function parseRange(text: string): { start: number; end: number } | null {
  const hyphen = text.indexOf('-');
  if (hyphen < 0) return null;
  const start = inetNumber(parseAddress(text.slice(0, hyphen)));
  const end = inetNumber(parseAddress(text.slice(hyphen + 1)));
  return start === NONE || end === NONE || start > end ? null : { start, end };
}

/** An IPv4 address as an unsigned number; what is none counts as 255.255.255.255. */
export function inetNumber(address: string | null): number {
  if (address?.length !== 4) return NONE;
  let number = 0;
  for (let i = 0; i < 4; i++) number = number * 256 + address.charCodeAt(i);
  return number;
}

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.');
}
