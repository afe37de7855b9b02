import { expect, it } from 'vitest';
import { MAIN } from '../../../src/config/contexts.ts';
import { directiveTable } from '../../../src/config/reference.ts';
import { acceptedModule } from '../../../src/modules/accepted.ts';
import { sampleModules } from './sample-modules.ts';

it('has a table per module, sorted, with pipes escaped', () => {
  const text = directiveTable(sampleModules);
  expect(text.match(/^### .*$/gm)).toEqual(['### core', '### http', '### upstream']);
  expect(text).toContain(
    '| `client_body_timeout time` | `60s` | http, server, location | Longest pause between two reads of the body. |',
  );
  expect(text).toContain('| `satisfy all \\| any` | – | http, server, location | All or any. |');
  expect(text).toContain('| `if value … { … }` | – | server | A condition. |');
  expect(text.indexOf('`add_header')).toBeLessThan(text.indexOf('`client_body_timeout'));
});

it('directives that read the same but for their names share a line', () => {
  const row = (name: string) => ({ name, contexts: MAIN, args: 1 as const, syntax: 'size', doc: 'No effect.' });
  const text = directiveTable([
    { name: 'm', defaults: () => ({}), rows: [row('b'), { ...row('c'), args: 2 }, row('a')] },
  ]);
  expect(text).toContain('| `a size`<br>`b size`<br>`c size` | – | main | No effect. |');
});

it('every row of the accepted table says why it has no effect', () => {
  for (const row of acceptedModule.rows) expect(row.doc, row.name).toMatch(/^(No effect: .{10}|Kept, )/);
});
