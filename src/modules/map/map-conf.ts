import { ConfigError } from '../../config/diagnostic.ts';
import type { DirectiveUse } from '../../config/directive-spec.ts';
import { rawLines } from '../../config/raw-block.ts';
import type { Directive, SourcePos } from '../../config/tree.ts';
import { variableName } from '../../config/variable-name.ts';
import { lowerCase } from '../../http/host-name.ts';
import { HostTable } from '../../http/host-table.ts';
import { compilePattern, type Pattern } from '../../http/pcre/compile-pattern.ts';

/** What a line of a map gives, with variables. */
export interface MapValue {
  readonly text: string;
  readonly pos: SourcePos;
}

/** `map SOURCE $name { … }`. */
export interface MapConf {
  /** Text with variables. */
  readonly source: string;
  readonly name: string;
  readonly pos: SourcePos;
  /** `hostnames`: keys may be `.example.com` and kin; a closing dot of the source does not count. */
  isHostnames: boolean;
  isVolatile: boolean;
  fallback: MapValue | null;
  /** By lower-case key; with `hostnames` in `hosts`. */
  readonly exact: Map<string, MapValue>;
  readonly hosts: HostTable<MapValue>;
  /** In the order of the file. */
  readonly regexes: { readonly pattern: Pattern; readonly value: MapValue }[];
}

export function parseMap(use: DirectiveUse): MapConf {
  const [source = '', variable = ''] = use.args;
  const map: MapConf = {
    source,
    name: variableName(use, variable),
    pos: use.pos,
    isHostnames: false,
    isVolatile: false,
    fallback: null,
    exact: new Map(),
    hosts: new HostTable(),
    regexes: [],
  };
  for (const line of rawLines(use)) readLine(map, line);
  return map;
}

function readLine(map: MapConf, { name: key, args, pos }: Directive): void {
  const fail = (text: string): never => {
    throw new ConfigError(text, pos);
  };
  if (args.length === 0 && key === 'hostnames') {
    map.isHostnames = true;
    return;
  }
  if (args.length === 0 && key === 'volatile') {
    map.isVolatile = true;
    return;
  }
  const [text] = args;
  if (text === undefined || args.length !== 1) return fail('invalid number of the map parameters');
  const value: MapValue = { text, pos };
  if (key === 'default') {
    if (map.fallback !== null) fail('duplicate default map parameter');
    map.fallback = value;
    return;
  }
  if (key.startsWith('~')) {
    const caseInsensitive = key.startsWith('~*');
    map.regexes.push({ pattern: patternOf(key.slice(caseInsensitive ? 2 : 1), caseInsensitive, pos), value });
    return;
  }
  // A backslash in front lets a key be what would otherwise be a word of its own.
  const name = lowerCase(key.startsWith('\\') ? key.slice(1) : key);
  const result = map.isHostnames ? map.hosts.add(name, value) : addExact(map.exact, name, value);
  if (result === 'invalid') fail(`invalid hostname or wildcard "${name}"`);
  if (result === 'conflict') fail(`conflicting parameter "${name}"`);
}

function addExact(exact: Map<string, MapValue>, name: string, value: MapValue): 'added' | 'conflict' {
  if (exact.has(name)) return 'conflict';
  exact.set(name, value);
  return 'added';
}

/** A finding stands at the line of the pattern. */
function patternOf(source: string, caseInsensitive: boolean, pos: SourcePos): Pattern {
  try {
    return compilePattern(source, { caseInsensitive });
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(error.message, pos) : error;
  }
}
