import type { Exchange } from './exchange.ts';
import type { Location } from './location.ts';

/** Matches a regex location; on success sets the captures of `ex`. */
export interface UriPattern {
  matches(uri: string, ex: Exchange): boolean;
}

/** The locations of one level: of a server, or nested in a location. */
export interface LocationLevel {
  /** `=` and prefix locations; `isExact` tells which. */
  readonly statics: readonly StaticLocation[];
  /** In the order of the file. */
  readonly regexes: readonly RegexLocation[];
}

export interface StaticLocation {
  readonly path: string;
  readonly isExact: boolean;
  /** `^~`: when it is the longest prefix, regexes of its level are not tried. */
  readonly skipsRegexes: boolean;
  readonly location: Location;
  readonly nested: LocationLevel | null;
}

export interface RegexLocation {
  readonly pattern: UriPattern;
  readonly location: Location;
  readonly nested: LocationLevel | null;
}

/** What a path of the trie may lead to. */
interface Target {
  readonly location: Location;
  readonly skipsRegexes: boolean;
  readonly nested: LocationRouter | null;
}

/**
 * Node of a radix trie over the paths of one level.
 * ```
 * locations /, /api/, /app      ''─'/'(prefix)─'ap'─┬─'i/'(prefix)
 *                                                   └─'p'(prefix)
 * ```
 * A lookup costs the length of the path that matches, however many locations there are.
 */
class Node {
  label: string;
  readonly children = new Map<number, Node>();
  prefix: Target | null = null;
  exact: Target | null = null;

  constructor(label: string) {
    this.label = label;
  }
}

/** Chooses a location as nginx does: exact, else the longest prefix, overruled by the first regex that matches. */
export class LocationRouter {
  readonly #root = new Node('');
  readonly #regexes: readonly { readonly pattern: UriPattern; readonly target: Target }[];

  constructor(level: LocationLevel) {
    for (const one of level.statics) {
      const node = insert(this.#root, one.path);
      const target = { location: one.location, skipsRegexes: one.skipsRegexes, nested: routerOf(one.nested) };
      if (one.isExact) node.exact = target;
      else node.prefix = target;
    }
    this.#regexes = level.regexes.map((one) => ({
      pattern: one.pattern,
      target: { location: one.location, skipsRegexes: false, nested: routerOf(one.nested) },
    }));
  }

  /**
   * Null when nothing fits. A location with `autoRedirect` is also found for its path without the closing slash
   * (the caller then redirects), unless there is a location of just that path.
   */
  find(ex: Exchange): Location | null {
    const uri = ex.uri;
    isFinal = false;
    // 1. The longest prefix; an exact location ends the search.
    let node = this.#root;
    let longest = node.prefix;
    for (let at = 0; ; ) {
      if (at === uri.length) {
        if (node.exact !== null) return final(node.exact.location);
        if (node.prefix !== null) break;
      }
      const child = node.children.get(at === uri.length ? SLASH : uri.charCodeAt(at));
      if (child === undefined) break;
      const label = child.label;
      const end = at + label.length;
      if (end > uri.length) {
        const slashed = end === uri.length + 1 && isSlashed(label, uri, at) ? (child.exact ?? child.prefix) : null;
        if (slashed?.location.autoRedirect === true) return final(slashed.location);
        break;
      }
      if (label.length > 1 && !uri.startsWith(label, at)) break;
      node = child;
      at = end;
      if (node.prefix !== null) longest = node.prefix;
    }

    // 2. Nested ones of that prefix, which may end the search too.
    let found: Location | null = null;
    if (longest !== null) {
      found = longest.location;
      if (longest.nested !== null) {
        found = longest.nested.find(ex) ?? found;
        if (isFinal) return found;
      }
      if (longest.skipsRegexes) return found;
    }

    // 3. The first regex that matches, and what is nested in it.
    for (const { pattern, target } of this.#regexes) {
      if (pattern.matches(uri, ex)) return final(target.nested?.find(ex) ?? target.location);
    }
    isFinal = false;
    return found;
  }
}

const SLASH = 0x2f;

/** Whether the last `find` ended with more than a prefix: then the outer level tries no regexes. */
let isFinal = false;

function final(location: Location): Location {
  isFinal = true;
  return location;
}

/** `uri` from `at` on is `label` without its last byte, a slash. */
function isSlashed(label: string, uri: string, at: number): boolean {
  const last = label.length - 1;
  return label.charCodeAt(last) === SLASH && (last === 0 || label.startsWith(uri.slice(at)));
}

function routerOf(level: LocationLevel | null): LocationRouter | null {
  return level === null || (level.statics.length === 0 && level.regexes.length === 0)
    ? null
    : new LocationRouter(level);
}

/** The node of `path`, made when missing; a label that `path` leaves half-way is split. */
function insert(root: Node, path: string): Node {
  let node = root;
  let at = 0;
  while (at < path.length) {
    const child = node.children.get(path.charCodeAt(at));
    if (child === undefined) {
      const added = new Node(path.slice(at));
      node.children.set(path.charCodeAt(at), added);
      return added;
    }
    const label = child.label;
    let common = 1;
    while (common < label.length && path[at + common] === label[common]) common++;
    if (common < label.length) {
      const upper = new Node(label.slice(0, common));
      node.children.set(path.charCodeAt(at), upper);
      child.label = label.slice(common);
      upper.children.set(child.label.charCodeAt(0), child);
      node = upper;
    } else {
      node = child;
    }
    at += common;
  }
  return node;
}
