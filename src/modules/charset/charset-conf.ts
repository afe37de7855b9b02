import { ConfigError } from '../../config/diagnostic.ts';
import type { DirectiveUse } from '../../config/directive-spec.ts';
import type { TypeSet } from '../../http/type-set.ts';
import type { CharsetMap, Recoding } from './charset-map.ts';

/** `charset` and `source_charset`: a name, or a variable (without `$`). */
export type CharsetChoice = { readonly name: string } | { readonly variable: string };

export interface CharsetConf {
  /** Null: off. */
  charset: CharsetChoice | null;
  source: CharsetChoice | null;
  overrides: boolean;
  types: TypeSet;
  /** Of the http scope: every `charset_map`. */
  maps: readonly CharsetMap[];
  /** Of the http scope: every charset that is named, lower case to first spelling, which is how it is written. */
  names: Map<string, string>;
}

export const CHARSET_TYPES: TypeSet = new Set([
  'text/html',
  'text/xml',
  'text/plain',
  'text/vnd.wap.wml',
  'application/javascript',
  'application/rss+xml',
]);

export function parseChoice(use: DirectiveUse): CharsetChoice {
  const [text = ''] = use.args;
  if (!text.startsWith('$')) return { name: text };
  if (text === '$') return use.fail('invalid variable name "$"');
  return { variable: text.slice(1) };
}

/** Adds a name to those known, unless it is. */
export function knowName(names: Map<string, string>, name: string): void {
  const lower = name.toLowerCase();
  if (!names.has(lower)) names.set(lower, name);
}

/** Null: there is none. Names in lower case. */
export function recodingOf(maps: readonly CharsetMap[], from: string, to: string): Recoding | null {
  for (const map of maps) {
    if (map.from === from && map.to === to) return map.there;
    if (map.from === to && map.to === from) return map.back;
  }
  return null;
}

/** What stands in the configuration must be possible. */
export function checkPair({ charset, source, maps }: CharsetConf, names: ReadonlyMap<string, string>): void {
  if (charset === null || source === null || !('name' in charset) || !('name' in source)) return;
  const [from, to] = [source.name.toLowerCase(), charset.name.toLowerCase()];
  if (from === to || recodingOf(maps, from, to) !== null) return;
  throw new ConfigError(noMap(names.get(from) ?? source.name, names.get(to) ?? charset.name));
}

export function noMap(from: string, to: string): string {
  return `no "charset_map" between the charsets "${from}" and "${to}"`;
}
