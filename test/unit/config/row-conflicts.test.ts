import { expect, it } from 'vitest';
import { HTTP, MAIN, SERVER, UPSTREAM } from '../../../src/config/contexts.ts';
import type { AnyConfModule } from '../../../src/config/directive-spec.ts';
import { rowConflicts } from '../../../src/config/row-conflicts.ts';
import { MODULES } from '../../../src/runtime/module-list.ts';

function moduleOf(name: string, rows: Readonly<Record<string, number>>): AnyConfModule {
  return {
    name,
    defaults: () => ({}),
    rows: Object.entries(rows).map(([row, contexts]) => ({ name: row, contexts, args: 0, doc: '' })),
  };
}

it('names the directive, the context and the modules', () => {
  const modules = [
    moduleOf('a', { x: MAIN | HTTP, server: HTTP }),
    moduleOf('b', { x: HTTP | SERVER, server: UPSTREAM }),
  ];
  expect(rowConflicts(modules)).toEqual(['"x" in http: a, b']);
});

it('the program’s own rows have none', () => expect(rowConflicts(MODULES)).toEqual([]));
