// npm run docs: writes the directive table into README.md, from the modules' rows.
import { writeFileSync } from 'node:fs';
import { MODULES } from '../../../src/runtime/module-list.ts';
import { directiveReference, README, withReadmePart } from './readme-tables.ts';

writeFileSync(README, withReadmePart('directives', directiveReference(MODULES)));
