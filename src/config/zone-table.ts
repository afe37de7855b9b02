import type { DirectiveUse } from './directive-spec.ts';
import type { Scope } from './scope.ts';

/** What a shared memory zone is for: two directives may name the same zone only when they mean the same kind. */
export type ZoneUse = 'upstream' | 'limit_req' | 'limit_conn' | 'ssl_session_cache';

interface NamedZone {
  readonly use: ZoneUse;
  /** 0: named so far, not declared. */
  bytes: number;
}

const tables = new WeakMap<Scope, Map<string, NamedZone>>();

function tableOf(scope: Scope): Map<string, NamedZone> {
  let root = scope;
  while (root.parent !== null) root = root.parent;
  let table = tables.get(root);
  if (table === undefined) {
    table = new Map();
    tables.set(root, table);
  }
  return table;
}

/** A directive names a zone (`bytes` 0) or declares it with its size. Ends with nginx's words when that contradicts what was said before. */
export function nameZone(use: DirectiveUse, name: string, zoneUse: ZoneUse, bytes: number): void {
  const table = tableOf(use.scope);
  const known = table.get(name);
  if (known === undefined) {
    table.set(name, { use: zoneUse, bytes });
    return;
  }
  if (known.use !== zoneUse) use.fail(`the shared memory zone "${name}" is already declared for a different use`);
  if (known.bytes === 0) known.bytes = bytes;
  if (bytes !== 0 && bytes !== known.bytes) {
    use.fail(`the size ${bytes} of shared memory zone "${name}" conflicts with already declared size ${known.bytes}`);
  }
}

/** Declared size of a zone; 0: nobody declared it. Only when the whole configuration was read. */
export function zoneBytes(scope: Scope, name: string): number {
  return tableOf(scope).get(name)?.bytes ?? 0;
}
