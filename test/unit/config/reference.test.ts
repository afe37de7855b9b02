import { expect, it } from 'vitest';
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

it('every row of the accepted table says why it has no effect', () => {
  for (const row of acceptedModule.rows) expect(row.doc, row.name).toMatch(/^(No effect: .{10}|Kept, )/);
});
