import type { DirectiveUse } from '../../config/directive-spec.ts';
import { parseSizeBytes } from '../../config/parse-value.ts';
import { nameZone } from '../../config/zone-table.ts';

/** `zone NAME [SIZE]`; bytes 0 = said elsewhere. */
export interface ZoneLine {
  readonly name: string;
  readonly bytes: number;
}

/** nginx's least: eight memory pages. */
const LEAST_BYTES = 32_768;

/** The size has no meaning here but is checked as nginx checks it. */
export function parseZoneLine(use: DirectiveUse): ZoneLine {
  const [name = '', size] = use.args;
  if (name === '') use.fail(`invalid zone name "${name}"`);
  const bytes = size === undefined ? 0 : (parseSizeBytes(size) ?? use.fail(`invalid zone size "${size}"`));
  if (size !== undefined && bytes < LEAST_BYTES) use.fail(`zone "${name}" is too small`);
  nameZone(use, name, 'upstream', bytes);
  return { name, bytes };
}
