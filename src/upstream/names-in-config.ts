import { ConfigError } from '../config/diagnostic.ts';
import type { Directive, SourcePos } from '../config/tree.ts';
import { parsePassTarget } from './pass-target.ts';

/** A name that has to be resolved before the configuration can be compiled. */
export interface NameInConfig {
  /** What is looked up: the host without port. */
  readonly host: string;
  /** As written, for the message. */
  readonly text: string;
  readonly pos: SourcePos;
}

/** Every name in `server` lines of upstreams and in `proxy_pass` without variables, each once; names of upstreams are none. */
export function namesInConfig(tree: readonly Directive[]): NameInConfig[] {
  const groups = new Set<string>();
  const found = new Map<string, NameInConfig>();
  const places: { readonly text: string; readonly pos: SourcePos; readonly isServer: boolean }[] = [];
  collect(tree, false, groups, places);
  for (const { text, pos, isServer } of places) {
    const host = nameOf(text);
    if (host === null || found.has(host) || (!isServer && groups.has(host.toLowerCase()))) continue;
    found.set(host, { host, text, pos });
  }
  return [...found.values()];
}

function collect(
  directives: readonly Directive[],
  isInUpstream: boolean,
  groups: Set<string>,
  places: { text: string; pos: SourcePos; isServer: boolean }[],
): void {
  for (const { name, args, block, pos } of directives) {
    const first = args[0] ?? '';
    if (name === 'upstream' && block !== null) groups.add(first.toLowerCase());
    if (isInUpstream && name === 'server') places.push({ text: first, pos, isServer: true });
    if (name === 'proxy_pass' && !first.includes('$')) places.push({ text: authorityOf(first), pos, isServer: false });
    if (block !== null) collect(block, name === 'upstream', groups, places);
  }
}

/** `http://host:80/path` -> `host:80`. */
function authorityOf(url: string): string {
  const rest = url.replace(/^https?:\/\//i, '');
  if (/^unix:/i.test(rest)) return rest;
  return rest.replace(/[/?].*$/s, '');
}

function nameOf(text: string): string | null {
  try {
    const target = parsePassTarget(text, 80);
    return target.address === null ? target.host : null;
  } catch (error) {
    if (error instanceof ConfigError) return null; // the directive's own row reports it
    throw error;
  }
}
