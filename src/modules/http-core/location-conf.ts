import { LOCATION } from '../../config/contexts.ts';
import type { DirectiveUse } from '../../config/directive-spec.ts';
import { compilePattern, type Pattern } from '../../http/pcre/compile-pattern.ts';

/** What stands between `location` and `{`. */
export interface LocationConf {
  readonly kind: 'prefix' | 'exact' | 'regex' | 'named';
  /** Path, pattern, or name with its `@`. */
  readonly name: string;
  /** `^~`. */
  readonly skipsRegexes: boolean;
  /** Of a regex one. */
  readonly pattern: Pattern | null;
}

/**
 * `location [modifier] name`; the modifier may stick to the name. `parent`: the location that it stands in, null in a server.
 * `isTaken` tells whether the block has such a location already.
 */
export function parseLocation(
  use: DirectiveUse,
  parent: LocationConf | null,
  isTaken: (location: LocationConf) => boolean,
): LocationConf {
  const location = use.args.length === 2 ? withModifier(use) : withoutModifier(use.args[0] ?? '');
  if (use.scope.context === LOCATION && parent !== null) checkNesting(location, parent, use);
  if (isTaken(location)) use.fail(`duplicate location "${location.name}"`);
  return location;
}

function withModifier(use: DirectiveUse): LocationConf {
  const [modifier = '', name = ''] = use.args;
  switch (modifier) {
    case '=':
      return plain('exact', name);
    case '^~':
      return plain('prefix', name, true);
    case '~':
      return regex(name, false);
    case '~*':
      return regex(name, true);
    default:
      return use.fail(`invalid location modifier "${modifier}"`);
  }
}

function withoutModifier(name: string): LocationConf {
  if (name.startsWith('=')) return plain('exact', name.slice(1));
  if (name.startsWith('^~')) return plain('prefix', name.slice(2), true);
  if (name.startsWith('~*')) return regex(name.slice(2), true);
  if (name.startsWith('~')) return regex(name.slice(1), false);
  return plain(name.startsWith('@') ? 'named' : 'prefix', name);
}

function plain(kind: 'prefix' | 'exact' | 'named', name: string, skipsRegexes = false): LocationConf {
  return { kind, name, skipsRegexes, pattern: null };
}

function regex(name: string, caseInsensitive: boolean): LocationConf {
  return { kind: 'regex', name, skipsRegexes: false, pattern: compilePattern(name, { caseInsensitive }) };
}

function checkNesting(location: LocationConf, parent: LocationConf, use: DirectiveUse): void {
  if (parent.kind === 'exact' || parent.kind === 'named') {
    use.fail(`location "${location.name}" cannot be inside the ${parent.kind} location "${parent.name}"`);
  }
  if (location.kind === 'named') {
    use.fail(`named location "${location.name}" can be on the server level only`);
  }
  if (location.kind !== 'regex' && !location.name.startsWith(parent.name)) {
    use.fail(`location "${location.name}" is outside location "${parent.name}"`);
  }
}
